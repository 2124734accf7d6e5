import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from '../programs/temp-folder.ts';

/** A case of the PROTOS suite c07-sip: templates of a malformed INVITE and of the request that ends it. */
export interface ProtosCase {
  readonly name: string;
  readonly invite: string;
  readonly teardown: string;
}

/** What the templates' fields are filled with. */
export interface ProtosFields {
  /** Makes Call-ID and branch its own. */
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly transport: 'UDP' | 'TCP';
  readonly teardownMethod: 'CANCEL' | 'BYE';
}

/** `<length> <message>` at offset `at`: the message and where it ends. */
function readMessage(text: string, at: number): { readonly message: string; readonly end: number } {
  const space = text.indexOf(' ', at);
  const end = space + 1 + Number(text.slice(at, space));
  return { message: text.slice(space + 1, end), end };
}

/** Unpacks the suite into a temporary folder and reads its cases, in order. */
export function readProtosCases(archive: string): ProtosCase[] {
  const folder = tempFolder();
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  const cases = join(folder, 'cases');
  return readdirSync(cases)
    .toSorted()
    .map((name) => {
      const text = readFileSync(join(cases, name), 'latin1');
      const { message: invite, end } = readMessage(text, 0);
      return { name, invite, teardown: readMessage(text, end).message };
    });
}

/** Both messages of a case, ready to send. */
export function fillCase({ invite, teardown }: ProtosCase, fields: ProtosFields): readonly [Buffer, Buffer] {
  return [fill(invite, fields, '1'), fill(teardown, fields, fields.teardownMethod === 'CANCEL' ? '1' : '2')];
}

function fill(
  template: string,
  { id, address, port, transport, teardownMethod }: ProtosFields,
  cseq: string,
) {
  const values: Readonly<Record<string, string>> = {
    '<To>': 'bob@example.com',
    '<From>': `alice@${address}`,
    '<From-Address>': address,
    '<From-IP>': address,
    '<Local-Port>': String(port),
    '<Branch-ID>': id,
    '<Call-ID>': id,
    '<CSeq>': cseq,
    '<Teardown-Method>': teardownMethod,
  };
  const filled = template
    .replaceAll(/<[A-Z][A-Za-z-]*>/g, (field) => values[field] ?? field)
    .replaceAll('SIP/2.0/UDP ', `SIP/2.0/${transport} `);
  const bodyLength = filled.length - filled.indexOf('\r\n\r\n') - 4;
  return Buffer.from(filled.replaceAll('<Content-Length>', String(bodyLength)), 'latin1');
}
