/**
 * Measures what one message costs in core/sip: index, the fields a relay reads, and a print with one Via added; next to the npm package
 * `sip`. Run it from the build: `node dist/test/bench/parse.bench.js`.
 */
import { createRequire } from 'node:module';
import type { Received } from '../../core/sip/hop.ts';
import { checkMessage, parseMessage, type SipRequest } from '../../core/sip/message.ts';
import { markReceived, printRequest } from '../../core/sip/print.ts';

interface SipPackage {
  parse(text: string): { headers: { via: object[] } };
  stringify(message: object): string;
}
function isSipPackage(value: unknown): value is SipPackage {
  return typeof value === 'object' && value !== null && 'parse' in value && 'stringify' in value;
}
const sip: unknown = createRequire(import.meta.url)('sip');

const ROUNDS = 20;
const MESSAGES_PER_ROUND = 100_000;

const SDP = [
  'v=0',
  'o=alice 53655765 2353687637 IN IP4 192.0.2.10',
  's=-',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'm=audio 6000 RTP/AVP 0',
  'a=rtpmap:0 PCMU/8000',
  '',
].join('\r\n');
const INVITE = [
  'INVITE sip:bob@192.0.2.20:5062 SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.10:5061;branch=z9hG4bK-31415-1-0',
  'From: "Alice" <sip:alice@192.0.2.10:5061>;tag=31415SIPpTag001',
  'To: <sip:bob@192.0.2.20:5062>',
  'Call-ID: 1-31415@192.0.2.10',
  'CSeq: 1 INVITE',
  'Contact: <sip:alice@192.0.2.10:5061>',
  'Max-Forwards: 70',
  'Subject: Performance Test',
  'User-Agent: bench/1.0',
  'Content-Type: application/sdp',
  `Content-Length: ${SDP.length}`,
  '',
  SDP,
].join('\r\n');
const bytes = Buffer.from(INVITE, 'latin1');
const received: Received = {
  point: {
    protocol: 'udp',
    family: 4,
    address: '192.0.2.1',
    port: 5060,
    advertisedHost: '192.0.2.1',
    advertisedPort: 5060,
    sentBy: '192.0.2.1:5060',
  },
  address: '192.0.2.10',
  port: 5061,
  flow: 0,
};
const VIA = 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabcdef.0123456789';

function index(): SipRequest {
  const result = parseMessage(bytes, received);
  if (!result.ok || result.msg.kind !== 'request') throw new Error('the INVITE was not taken');
  return result.msg;
}

/** Sums up what it reads, so that nothing can be left out by the compiler. */
function readFields(msg: SipRequest): number {
  const { topVia, cseq, callId, fromTag, toTag } = msg;
  return topVia.host.length + cseq.number + callId.length + fromTag.length + toTag.length;
}

function print(msg: SipRequest, maxForwards: number | null): number {
  const { uri, edits } = msg;
  return printRequest(msg, { uri, edits, via: VIA, out: received.point, maxForwards }).length;
}

const TASKS: Readonly<Record<string, () => number>> = {
  'index only': () => index().headerCount,
  'index + relay fields': () => readFields(index()),
  'index + relay fields + print with one Via added': () => {
    const msg = index();
    return readFields(msg) + print(msg, null);
  },
  'the same, checked, received marked, Max-Forwards lowered': () => {
    const msg = index();
    if (checkMessage(msg) !== null) throw new Error('the INVITE was rejected');
    markReceived(msg);
    return readFields(msg) + print(msg, (msg.maxForwards ?? 0) - 1);
  },
  'npm sip: parse + stringify with one Via added': () => {
    if (!isSipPackage(sip)) throw new Error('the package sip has changed');
    const message = sip.parse(bytes.toString('latin1'));
    message.headers.via.unshift({
      version: '2.0',
      protocol: 'UDP',
      host: '192.0.2.1',
      port: 5060,
      params: { branch: 'z9hG4bKabcdef.0123456789' },
    });
    return Buffer.from(sip.stringify(message), 'latin1').length;
  },
};

process.stdout.write(
  `INVITE of ${bytes.length} bytes, CPU time a message, best of ${ROUNDS} rounds of ${MESSAGES_PER_ROUND}\n`,
);
for (const [name, task] of Object.entries(TASKS)) {
  let bestUs = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    for (let i = 0; i < MESSAGES_PER_ROUND; i++) sum += task();
    const { user, system } = process.cpuUsage(start);
    bestUs = Math.min(bestUs, (user + system) / MESSAGES_PER_ROUND);
  }
  process.stdout.write(`${bestUs.toFixed(2).padStart(8)} µs  ${name}${sum === 0 ? ' (nothing read)' : ''}\n`);
}
