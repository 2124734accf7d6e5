import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from './temp-folder.ts';

/** A certificate and its key: files and their contents, PEM. */
export interface KeyPair {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly certificate: string;
  readonly privateKey: string;
}

const PROGRAM = 'openssl';
const NEW_KEY = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1';

/** An authority that signs certificates for tests; needs the program openssl. */
export class Authority {
  readonly #folder = tempFolder();
  readonly #root: KeyPair;
  #count = 0;

  constructor() {
    const [keyFile, certificateFile] = [join(this.#folder, 'ca.key'), join(this.#folder, 'ca.pem')];
    openssl(
      `req -x509 -nodes -days 2 -subj /CN=authority ${NEW_KEY} -keyout ${keyFile} -out ${certificateFile}`,
    );
    this.#root = readPair(certificateFile, keyFile);
  }

  /** PEM of what to trust. */
  get certificate(): string {
    return this.#root.certificate;
  }

  get certificateFile(): string {
    return this.#root.certificateFile;
  }

  /**
   * A certificate with these names, such as `DNS:example.com, IP:127.0.0.1`; '' for none but the subject's `cn`. It is good for so many days: with
   * -1 it was, until yesterday.
   */
  issue(names: string, cn = 'test', days = 2): KeyPair {
    this.#count += 1;
    const file = (extension: string): string => join(this.#folder, `${this.#count}.${extension}`);
    writeFileSync(file('ext'), names === '' ? 'basicConstraints=CA:FALSE\n' : `subjectAltName=${names}\n`);
    openssl(`req -new -nodes -subj /CN=${cn} ${NEW_KEY} -keyout ${file('key')} -out ${file('csr')}`);
    const signer = `-CA ${this.#root.certificateFile} -CAkey ${this.#root.keyFile} -CAcreateserial`;
    openssl(
      `x509 -req -in ${file('csr')} -days ${days} -extfile ${file('ext')} ${signer} -out ${file('pem')}`,
    );
    return readPair(file('pem'), file('key'));
  }
}

/** Runs openssl with arguments that have no white space in them. */
function openssl(args: string): void {
  execFileSync(PROGRAM, args.split(' '), { stdio: 'pipe' });
}

function readPair(certificateFile: string, keyFile: string): KeyPair {
  return {
    certificateFile,
    keyFile,
    certificate: readFileSync(certificateFile, 'latin1'),
    privateKey: readFileSync(keyFile, 'latin1'),
  };
}
