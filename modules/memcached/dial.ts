import { createConnection, type LookupFunction, type Socket, type TcpSocketConnectOpts } from 'node:net';
import type { Access } from './access.ts';
import type { Credentials } from './credentials.ts';
import type { ServerAddress } from './server-list.ts';
import { tlsFailure } from './tls-access.ts';

/** Of several addresses of a host each is given this part of the time for connecting, so that one from which nothing comes does not use up all of it. */
const ADDRESSES_IN_TIME = 3;

/** What one read takes at most, bytes; as much as Node.js reads at once. */
const READ_BUFFER_BYTES = 65_536;

export interface DialOptions {
  readonly address: ServerAddress;
  readonly access: Access;
  readonly lookup: LookupFunction;
  /** How long connecting may take, ms. */
  readonly timeoutMs: number;
  /** Called with what comes once it is open, in a buffer that is used again. There are no `data` events. */
  readonly received: (bytes: Buffer) => void;
  /** Called once, when commands may be sent. */
  readonly opened: (socket: Socket) => void;
  /** Called when it fails, and when the connection does later on. `refused`: the server does not let this client in. */
  readonly failed: (reason: string, refused: boolean) => void;
}

/** What is being waited for, as an error says it. */
type Stage = 'connection' | 'TLS handshake' | 'answer to user and password' | 'answer';

/** A connection being opened: first TCP or a Unix socket, then TLS, then the password, as far as the server wants them. */
export class Dial {
  readonly socket: Socket;
  readonly #options: DialOptions;
  #stage: Stage = 'connection';
  #answer = '';

  constructor(options: DialOptions) {
    this.#options = options;
    const { address, access, lookup, timeoutMs } = options;
    const { tls } = access;
    const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    const onread = { buffer, callback: (bytes: number) => this.#received(buffer.subarray(0, bytes)) };
    if (address.kind === 'unix') this.socket = createConnection({ path: address.path, onread });
    else {
      const place: TcpSocketConnectOpts = {
        host: address.host,
        port: address.port,
        lookup,
        onread,
        // Node.js takes 10 ms for what is less, but no 0.
        autoSelectFamilyAttemptTimeout: Math.ceil(timeoutMs / ADDRESSES_IN_TIME),
      };
      this.socket = tls === null ? createConnection(place) : tls.access.connect(place, tls.name);
    }
    this.socket.on('error', (error) => options.failed(this.#reasonOf(error), false));
    this.socket.once('close', () => options.failed(`no ${this.#stage}: the connection was closed`, false));
    if (tls === null) this.socket.once('connect', this.#entered);
    else {
      this.socket.once('connect', () => {
        this.#stage = 'TLS handshake';
      });
      // Comes only when the certificate has been verified, or need not be.
      this.socket.once('secureConnect', this.#entered);
    }
  }

  /** What is being waited for: `answer` once commands may be sent. */
  get stage(): Stage {
    return this.#stage;
  }

  readonly #entered = (): void => {
    const { credentials } = this.#options.access;
    if (credentials === null) this.#open();
    else this.#authenticate(credentials);
  };

  #open(): void {
    this.#stage = 'answer';
    this.#options.opened(this.socket);
  }

  #authenticate(credentials: Credentials): void {
    this.#stage = 'answer to user and password';
    this.socket.write(credentials.command());
  }

  /** Takes what has come. True: more may come. */
  #received(bytes: Buffer): boolean {
    const { access, received, failed } = this.#options;
    if (this.#stage === 'answer') received(bytes);
    else if (access.credentials !== null) {
      this.#answer += bytes.toString('latin1');
      const verdict = access.credentials.judge(this.#answer);
      if (verdict.kind === 'refused') failed(verdict.reason, true);
      else if (verdict.kind === 'accepted') this.#open();
    }
    return true;
  }

  #reasonOf(error: Error): string {
    // Some of what is wrong with a handshake shows only after it: a server's verdict on this client's certificate.
    const isTls = this.#stage === 'TLS handshake' || 'opensslErrorStack' in error || 'reason' in error;
    return isTls ? tlsFailure(error) : errorText(error);
  }
}

/** An error of `connect` that tried several addresses has a code but no message. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
