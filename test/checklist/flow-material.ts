import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { material } from '../torture/material.ts';

/** A slip in the examples of an RFC, and what they mean. */
interface Correction {
  readonly flow: string;
  readonly message: number;
  readonly why: string;
  readonly correct: (text: string) => string;
}

const CORRECTIONS: readonly Correction[] = [
  {
    flow: 'rfc3665/3.02',
    message: 22,
    why: 'a proxy does not change the Vias below its own: F21 has 192.0.2.201, the address of Bob',
    correct: (text) => text.replace(';received=192.0.2.101', ';received=192.0.2.201'),
  },
  {
    flow: 'rfc3665/3.06',
    message: 14,
    why: 'the received of the client stands behind the Via of the proxy, which sends the message',
    correct: (text) => text.replace(/(\r\n ;received=\S+)(\r\nVia: \S+ \S+)/, '$2$1'),
  },
  {
    flow: 'rfc3665/3.08',
    message: 11,
    why: 'the Request-URI of a CANCEL is that of its INVITE (RFC 3261 9.1)',
    correct: (text) => text.replace('CANCEL sip:alice@atlanta', 'CANCEL sip:bob@biloxi'),
  },
  {
    flow: 'rfc3665/3.08',
    message: 18,
    why: 'the ACK of a failure has the Via of its INVITE (RFC 3261 17.1.1.3), and Proxy 1 sends it',
    correct: (text) =>
      text.replace(/^Via: .*$/m, 'Via: SIP/2.0/UDP ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1'),
  },
  {
    flow: 'rfc3665/3.08',
    message: 19,
    why: 'the Content-Length of F17 is left out',
    correct: (text) => text.replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n'),
  },
];

/**
 * The messages of a call flow in the test material, the one that its diagram calls F1 first; slips of the RFC are put right.
 * `flow`: folder and section, such as `rfc3665/3.02`. Null when the material is missing.
 */
export function flowMessages(flow: string): readonly string[] | null {
  const [folder = '', section = ''] = flow.split('/');
  const path = material(`flows/${folder}`);
  if (path === null) return null;
  const file = readdirSync(path).find((name) => name.startsWith(`${section}_`));
  if (file === undefined) throw new Error(`no flow ${flow}`);
  const messages: string[] = parse(readFileSync(`${path}/${file}`, 'utf8'));
  return messages.map((text, i) => corrected(flow, i + 1, asSent(text)));
}

/** With CRLFs, the end of its head, and no more of a body than its Content-Length says: what follows is the layout of the file. */
function asSent(text: string): string {
  const lines = text.trimEnd().replaceAll('\n', '\r\n');
  const end = lines.indexOf('\r\n\r\n');
  if (end < 0) return `${lines}\r\n\r\n`;
  const length = Number(/^Content-Length: *(\d+)/m.exec(lines)?.[1]);
  return `${lines.slice(0, end + 4)}${`${lines.slice(end + 4)}\r\n`.slice(0, length)}`;
}

function corrected(flow: string, message: number, text: string): string {
  let result = text;
  for (const each of CORRECTIONS) {
    if (each.flow !== flow || each.message !== message) continue;
    const before = result;
    result = each.correct(before);
    if (result === before) throw new Error(`nothing to correct in ${flow} F${message}: ${each.why}`);
  }
  return result;
}
