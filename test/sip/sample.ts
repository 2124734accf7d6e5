import type { ListenPoint, Received } from '../../core/sip/hop.ts';
import { parseMessage, type Rejected, SipRequest, SipResponse } from '../../core/sip/message.ts';

export const POINT: ListenPoint = {
  protocol: 'udp',
  family: 4,
  address: '192.0.2.1',
  port: 5060,
  advertisedHost: '192.0.2.1',
  advertisedPort: 5060,
  sentBy: '192.0.2.1:5060',
};

export const RECEIVED: Received = { point: POINT, address: '198.51.100.7', port: 40_000, flow: 0 };

/** A message's text from its lines: CRLFs, an empty line, the body. */
export function text(head: readonly string[], body = ''): string {
  return [...head, '', body].join('\r\n');
}

/** Header lines that every request needs, with `changes` by name: another value, null to leave the line out, or extra lines. */
export function lines(changes: Readonly<Record<string, string | null>> = {}): string[] {
  const startLine = changes['start'] ?? 'INVITE sip:bob@example.com SIP/2.0';
  const headers: Record<string, string | null> = {
    Via: 'SIP/2.0/UDP 192.0.2.9:5061;branch=z9hG4bK1',
    'Max-Forwards': '70',
    From: '"Alice" <sip:alice@example.com>;tag=a1',
    To: '<sip:bob@example.com>',
    'Call-ID': 'c1@192.0.2.9',
    CSeq: '1 INVITE',
    ...changes,
  };
  delete headers['start'];
  const found = Object.entries(headers).filter(([, value]) => value !== null);
  return [startLine, ...found.map(([name, value]) => `${name}: ${value}`)];
}

export function parseText(message: string, received = RECEIVED): ReturnType<typeof parseMessage> {
  return parseMessage(Buffer.from(message, 'latin1'), received);
}

export function request(message: string | readonly string[], received = RECEIVED): SipRequest {
  const result = parseText(typeof message === 'string' ? message : text(message), received);
  if (!result.ok) throw new Error(`rejected: ${result.reason}`);
  if (result.msg instanceof SipRequest) return result.msg;
  throw new Error('not a request');
}

export function response(message: string | readonly string[]): SipResponse {
  const result = parseText(typeof message === 'string' ? message : text(message));
  if (!result.ok) throw new Error(`rejected: ${result.reason}`);
  if (result.msg instanceof SipResponse) return result.msg;
  throw new Error('not a response');
}

export function rejected(message: string | readonly string[]): Rejected {
  const result = parseText(typeof message === 'string' ? message : text(message));
  if (result.ok) throw new Error('was not rejected');
  return result;
}

/** The request that a rejection carries. */
export function rejectedRequest(message: string | readonly string[]): SipRequest {
  const { msg } = rejected(message);
  if (msg instanceof SipRequest) return msg;
  throw new Error('no request in the rejection');
}
