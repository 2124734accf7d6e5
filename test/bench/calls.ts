import { type Measured, withArrangement } from './arrangement.ts';
import type { Leftovers } from './call-store.ts';
import { type ContenderName, missingContender } from './contender.ts';
import type { BenchOptions } from './options.ts';
import { median } from './statistics.ts';
import { print, shown, table } from './table.ts';

/** Calls a second unless told. */
const DEFAULT_RATE = 2_000;
/** What the callee waits before it answers, ms. */
const ANSWER_DELAY_MS = 50;

interface Run extends Measured {
  readonly left: Leftovers | null;
}

const HEAD = [
  '',
  'CPU/call',
  'user',
  'system',
  'ok',
  'failed',
  'retr.',
  'added',
  'peak',
  'keys left',
  'active left',
];

function row(name: string, runs: readonly Run[]): string[] {
  const middle = (figure: (run: Run) => number): number => median(runs.map(figure));
  return [
    name,
    `${shown(middle((run) => run.userUsPerCall + run.systemUsPerCall))} us`,
    shown(middle((run) => run.userUsPerCall)),
    shown(middle((run) => run.systemUsPerCall)),
    shown(middle((run) => run.successful)),
    shown(middle((run) => run.failed)),
    shown(middle((run) => run.retransmissions)),
    `${shown(
      middle((run) => run.answerMs - ANSWER_DELAY_MS),
      1,
    )} ms`,
    `${shown(middle((run) => run.peakMb))} MB`,
    shown(middle((run) => run.left?.keys ?? Number.NaN)),
    shown(middle((run) => run.left?.active ?? Number.NaN)),
  ];
}

/** The proxies among those asked for that are installed; says which are not. */
export function presentProxies({ proxies }: BenchOptions): ContenderName[] {
  return proxies.filter((name) => {
    const reason = missingContender(name);
    if (reason !== null) print(`${name} is left out: ${reason}`);
    return reason === null;
  });
}

/** How the CPU per call of the last proxy compares with that of the others. */
function printRatios(runs: ReadonlyMap<ContenderName, readonly Run[]>): void {
  const cpu = (all: readonly Run[], i: number): number =>
    (all[i]?.userUsPerCall ?? Number.NaN) + (all[i]?.systemUsPerCall ?? Number.NaN);
  const ours = runs.get('kamaiki');
  for (const [name, theirs] of runs) {
    if (ours === undefined || name === 'kamaiki') continue;
    const ofRounds = ours.map((_, i) => cpu(ours, i) / cpu(theirs, i));
    const ofMedians = median(ours.map((_, i) => cpu(ours, i))) / median(theirs.map((_, i) => cpu(theirs, i)));
    print(
      `CPU per call, kamaiki to ${name}: ${shown(ofMedians, 2)} (medians), by round ${ofRounds.map((ratio) => shown(ratio, 2)).join(' ')}`,
    );
  }
}

/** Measures the call, proxies side by side in turns, and prints medians and ratios. */
export async function calls(options: BenchOptions): Promise<void> {
  const { seconds, rounds, callers, children, delayMs, node, warmUp } = options;
  const rate = options.rate ?? DEFAULT_RATE;
  const names = presentProxies(options);
  for (const cached of options.cached) {
    const distance = delayMs > 0 ? `, memcached ${2 * delayMs} ms away (there and back)` : '';
    const store = cached ? `with memcached operations${distance}` : 'without memcached operations';
    print(`\n${rate} calls/s for ${seconds} s, ${store}, medians of ${rounds} rounds\n`);
    const runs = new Map(names.map((name) => [name, [] as Run[]]));
    for (let round = 0; round < rounds; round += 1) {
      // Neither is always the first.
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const run = await withArrangement(
          { proxy: name, cached, delayMs, callers, children, node },
          async (bench) => {
            await bench.warmUp(warmUp);
            const measured = await bench.measure({ rate, calls: rate * seconds });
            return { ...measured, left: await bench.leftovers() };
          },
        );
        runs.get(name)?.push(run);
      }
    }
    const each = names.flatMap((name) =>
      (runs.get(name) ?? []).map((run, i) => row(`${name}, round ${i + 1}`, [run])),
    );
    print(table(HEAD, [...each, ...names.map((name) => row(name, runs.get(name) ?? []))]));
    printRatios(runs);
  }
}
