/**
 * Measures what one message costs in core/sip: index, the fields a relay reads, and a print with one Via added, for the INVITE of the call benchmark; next to
 * the parsers of other packages. Times are CPU of this process, with that of the garbage that is made.
 *
 *     node --expose-gc dist/test/bench/parse.bench.js
 */
import { do_not_optimize, measure } from 'mitata';
import type { Received } from '../../core/sip/hop.ts';
import { checkMessage, parseMessage, type SipRequest } from '../../core/sip/message.ts';
import { markReceived, printRequest } from '../../core/sip/print.ts';
import { inviteOf } from '../../core/main/plain-call.ts';
import { otherParsers, type ParserTask } from './other-parsers.ts';
import { median } from './statistics.ts';
import { shown, table } from './table.ts';

const PROXY = { host: '127.0.0.1', port: 5060, branch: 'z9hG4bKabcdef.0123456789' };
const VIA = `SIP/2.0/UDP ${PROXY.host}:${PROXY.port};branch=${PROXY.branch}`;
const bytes = Buffer.from(inviteOf('31415', { caller: 5061, target: PROXY.port }), 'latin1');
const received: Received = {
  point: {
    protocol: 'udp',
    family: 4,
    address: PROXY.host,
    port: PROXY.port,
    advertisedHost: PROXY.host,
    advertisedPort: PROXY.port,
    sentBy: `${PROXY.host}:${PROXY.port}`,
  },
  address: '127.0.0.1',
  port: 5061,
  flow: 0,
};

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

/** What the others are compared with. */
const RELAY = 'index + relay fields + print with one Via added';

const OURS: readonly ParserTask[] = [
  { name: 'index only', run: () => index().headerCount },
  { name: 'index + relay fields', run: () => readFields(index()) },
  {
    name: RELAY,
    run() {
      const msg = index();
      return readFields(msg) + print(msg, null);
    },
  },
  {
    name: 'the same, checked, received marked, Max-Forwards lowered',
    run() {
      const msg = index();
      if (checkMessage(msg) !== null) throw new Error('the INVITE was rejected');
      markReceived(msg);
      return readFields(msg) + print(msg, (msg.maxForwards ?? 0) - 1);
    },
  },
];

/** CPU of this process, ns. */
function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

const tasks = [...OURS, ...otherParsers(bytes, PROXY)];

/** Turns of all, since machines get slower and faster meanwhile: compared is what stands in one turn. */
const TURNS = 5;

/**
 * A sample is as many calls, however long the first one takes: the clock itself takes as long as a message, and would be counted with each call of a
 * task that starts slowly. So each sample has its share of collections.
 */
const SAMPLING = {
  batch_samples: 512,
  batch_threshold: Number.POSITIVE_INFINITY,
  warmup_threshold: Number.POSITIVE_INFINITY,
  min_cpu_time: 1e9,
};

/** Of the samples, us a call; the mean has V8's compiling in it, which ends after the first of them. */
interface Figure {
  readonly medianUs: number;
  readonly meanUs: number;
}

/** All tasks once. */
async function turn(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, run } of tasks) {
    if (run() === 0) throw new Error(`${name}: nothing was read`);
    const { avg, p50 } = await measure(() => do_not_optimize(run()), { now: cpuNs, ...SAMPLING });
    figures.push({ medianUs: p50 / 1000, meanUs: avg / 1000 });
  }
  return figures;
}

const turns: Figure[][] = [];
while (turns.length < TURNS) turns.push(await turn());
const relay = tasks.findIndex(({ name }) => name === RELAY);
process.stdout.write(
  `INVITE of ${bytes.length} bytes, medians of ${TURNS} turns\n\n${table(
    ['', 'us', 'best turn', 'worst turn', 'mean, us', 'to ours'],
    tasks.map(({ name }, i) => {
      const medians = turns.map((figures) => figures[i]!.medianUs);
      return [
        name,
        shown(median(medians), 2),
        shown(Math.min(...medians), 2),
        shown(Math.max(...medians), 2),
        shown(median(turns.map((figures) => figures[i]!.meanUs)), 2),
        shown(median(turns.map((figures) => figures[i]!.medianUs / figures[relay]!.medianUs)), 2),
      ];
    }),
  )}`,
);
