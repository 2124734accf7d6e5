/**
 * CPU of one whole call in the proxy, without sockets and memcached: INVITE, 180, 200, ACK, BYE, 200 through ingress, routes, transactions and
 * printing. Prints microseconds a call, best and median of several rounds.
 */
import { setImmediate } from 'node:timers/promises';
import { defineRoutes, type MessageSink, type SipRequest, type Target } from '../../core/index.ts';
import { Proxy } from '../../core/proxy/proxy.ts';
import { replyTarget } from '../../core/sip/reply.ts';
import { TimerWheel } from '../../core/timer-wheel.ts';
import { builtinModules } from '../../modules/index.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const ROUNDS = 12;
const CALLS = 1_000;

const point = {
  protocol: 'udp',
  family: 4,
  address: '127.0.0.1',
  port: 5060,
  advertisedHost: '127.0.0.1',
  advertisedPort: 5060,
  sentBy: '127.0.0.1:5060',
} as const;
const CALLER = { point, address: '127.0.0.1', port: 5080, flow: 0 };
const CALLEE = { point, address: '127.0.0.1', port: 5070, flow: 0 };

const routes = defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils'],
  async request({ pv, ksr }) {
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');
    if (ksr.siputils.has_totag()) {
      if (ksr.rr.loose_route()) return ksr.tm.t_relay();
      return ksr.sl.sl_send_reply(404, 'Not here');
    }
    ksr.rr.record_route();
    pv.$du.set('sip:127.0.0.1:5070');
    return ksr.tm.t_relay();
  },
});

const SDP = [
  'v=0',
  'o=user1 53655765 2353687637 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 6000 RTP/AVP 0',
  'a=rtpmap:0 PCMU/8000',
  '',
].join('\r\n');

function message(startLine: string, headers: readonly string[], body = ''): Buffer {
  return Buffer.from([startLine, ...headers, `Content-Length: ${body.length}`, '', body].join('\r\n'));
}

function linesOf(text: string, name: string): string[] {
  return text.split('\r\n').filter((line) => line.startsWith(`${name}:`));
}

/** The callee's response to a request as the proxy sent it. */
function responseTo(sent: string, status: string, body = ''): Buffer {
  const [to = ''] = linesOf(sent, 'To');
  return message(
    `SIP/2.0 ${status}`,
    [
      ...linesOf(sent, 'Via'),
      ...linesOf(sent, 'Record-Route'),
      ...linesOf(sent, 'From'),
      to.includes(';tag=') ? to : `${to};tag=callee`,
      ...linesOf(sent, 'Call-ID'),
      ...linesOf(sent, 'CSeq'),
      'Contact: <sip:127.0.0.1:5070;transport=UDP>',
    ],
    body,
  );
}

function requestOf(method: string, call: number, cseq: number): Buffer {
  const inDialog = method !== 'INVITE';
  return message(
    `${method} ${inDialog ? 'sip:127.0.0.1:5070;transport=UDP' : 'sip:bob@127.0.0.1:5060'} SIP/2.0`,
    [
      `Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bK-${call}-${method}`,
      `From: sipp <sip:sipp@127.0.0.1:5080>;tag=1SIPpTag00${call}`,
      ...(inDialog ? [`Route: <sip:127.0.0.1:5060;lr;ftag=1SIPpTag00${call}>`] : []),
      `To: sut <sip:bob@127.0.0.1:5060>${inDialog ? ';tag=callee' : ''}`,
      `Call-ID: ${call}-4711@127.0.0.1`,
      `CSeq: ${cseq} ${method}`,
      'Contact: sip:sipp@127.0.0.1:5080',
      'Max-Forwards: 70',
      'Subject: Performance Test',
    ],
    inDialog ? '' : SDP,
  );
}

const clock = new TimerWheel({ onError: (error) => process.stderr.write(`${String(error)}\n`) });
let sink!: MessageSink;
let last: Buffer = Buffer.alloc(0);
let sends = 0;
function send(bytes: Buffer): void {
  sends += 1;
  last = bytes;
}

const proxy = Proxy.create({
  listen: [],
  alias: [],
  available: builtinModules,
  modules: routes.uses.map((name) => ({ name, params: {} })),
  routes,
  routesFile: import.meta.filename,
  log: { ...recordedLog(), isEnabled: () => false },
  clock,
  limits: {
    handlers: 10_000,
    handlerTimeoutMs: 10_000,
    startTimeoutMs: 1_000,
    shutdownTimeoutMs: 0,
    lane: 64,
  },
  edge(given) {
    sink = given;
    return {
      points: [point],
      start: async () => {},
      close: async () => {},
      send,
      reply: (_request, bytes) => send(bytes),
      replyTarget: (request: SipRequest): Target => ({ protocol: 'udp', point, ...replyTarget(request) }),
      pointFor: () => point,
    };
  },
});
await proxy.start();

/** What the proxy is given and made to wait for is not counted: `spent` is. */
let spent = 0;
async function give(bytes: Buffer, from: typeof CALLER | typeof CALLEE): Promise<string> {
  const before = process.cpuUsage();
  sink(bytes, from);
  await setImmediate();
  const { user, system } = process.cpuUsage(before);
  spent += user + system;
  return last.toString('latin1');
}

/** All calls of a round take each step together, so that the clock's own resolution matters little. */
async function round(first: number): Promise<number> {
  spent = 0;
  const steps: ((call: number) => readonly [Buffer, typeof CALLER | typeof CALLEE])[] = [];
  const invites = new Map<number, string>();
  const byes = new Map<number, string>();
  steps.push((call) => [requestOf('INVITE', call, 1), CALLER]);
  steps.push((call) => [responseTo(invites.get(call) ?? '', '180 Ringing'), CALLEE]);
  steps.push((call) => [responseTo(invites.get(call) ?? '', '200 OK', SDP), CALLEE]);
  steps.push((call) => [requestOf('ACK', call, 1), CALLER]);
  steps.push((call) => [requestOf('BYE', call, 2), CALLER]);
  steps.push((call) => [responseTo(byes.get(call) ?? '', '200 OK'), CALLEE]);
  for (const step of steps) {
    const inputs = Array.from({ length: CALLS }, (_, i) => step(first + i));
    for (const [i, [bytes, from]] of inputs.entries()) {
      const sent = await give(bytes, from);
      if (sent.startsWith('INVITE')) invites.set(first + i, sent);
      if (sent.startsWith('BYE')) byes.set(first + i, sent);
    }
  }
  return spent / CALLS;
}

const figures: number[] = [];
for (let i = 0; i < ROUNDS; i += 1) figures.push(await round(i * CALLS));
const sorted = figures.toSorted((a, b) => a - b);
const perCall = sends / (ROUNDS * CALLS);
process.stdout.write(
  `whole call in the proxy, no sockets: best ${sorted[0]?.toFixed(1)} us, median ${sorted[ROUNDS >> 1]?.toFixed(1)} us, ${perCall} messages sent a call\n`,
);
await proxy.stop();
clock.close();
