import { withArrangement } from './arrangement.ts';
import { highestPassing } from './bisection.ts';
import { presentProxies } from './calls.ts';
import type { ContenderName } from './contender.ts';
import type { BenchOptions } from './options.ts';
import { print, shown, table } from './table.ts';

/** Share of calls for which something may have been sent again. */
const MAX_RETRANSMISSIONS = 0.001;
/** Trials of a rate before it counts as too high. */
const ATTEMPTS = 2;

/**
 * Finds the session establishment rate (RFC 7502 4.10): the highest rate at which no call fails and almost nothing is sent again; of SIPp alone first, since
 * it may be the limit itself.
 */
export async function search(options: BenchOptions): Promise<void> {
  const { low, high, step, seconds, callers, children, delayMs, node, warmUp } = options;
  const rows: string[][] = [];
  for (const cached of options.cached) {
    const alone = rows.length === 0 ? [null] : [];
    for (const proxy of [...alone, ...presentProxies(options)]) {
      const name = describe(proxy, cached);
      print(name);
      const passes = (rate: number): Promise<boolean> =>
        withArrangement({ proxy, cached, delayMs, callers, children, node }, async (bench) => {
          await bench.warmUp(warmUp);
          const { failed, retransmissions, started } = await bench.call({ rate, calls: rate * seconds });
          const good = failed === 0 && retransmissions <= started * MAX_RETRANSMISSIONS;
          print(
            `  ${rate} calls/s: ${failed} failed, ${retransmissions} retransmissions: ${good ? 'good' : 'too much'}`,
          );
          return good;
        });
      const found = await highestPassing({ low, high, step, attempts: ATTEMPTS, passes });
      rows.push([name, found === high ? `${high} or more` : found === null ? `below ${low}` : shown(found)]);
    }
  }
  print(`\n${seconds} s at each rate, ${callers} SIPp calling, to within ${step} calls/s\n`);
  print(table(['', 'highest rate, calls/s'], rows));
}

function describe(proxy: ContenderName | null, cached: boolean): string {
  if (proxy === null) return 'SIPp alone';
  return `${proxy} ${cached ? 'with' : 'without'} memcached operations`;
}
