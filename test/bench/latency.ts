import { freePort } from '../programs/free-port.ts';
import { withArrangement } from './arrangement.ts';
import { presentProxies } from './calls.ts';
import type { BenchOptions } from './options.ts';
import { print, shown, table } from './table.ts';
import { runUdpLoad, type UdpLoadReport } from './udp-load-run.ts';

/** Calls a second unless told. */
const DEFAULT_RATE = 1_000;

const HEAD = ['INVITE to 180, ms', 'median', '99 %', '99.9 %', 'longest', 'calls', 'rang', 'ended well'];

function row(
  name: string,
  calls: number,
  { medianUs, p99Us, p999Us, maxUs, ringing, ended }: UdpLoadReport,
): string[] {
  const times = [medianUs, p99Us, p999Us, maxUs].map((us) => shown(us / 1000, 3));
  return [name, ...times, String(calls), String(ringing), String(ended)];
}

/** What a proxy adds to each percentile. */
function addedRow(name: string, direct: UdpLoadReport, through: UdpLoadReport): string[] {
  const figures = ['medianUs', 'p99Us', 'p999Us', 'maxUs'] as const;
  return [
    `added by ${name}`,
    ...figures.map((figure) => shown((through[figure] - direct[figure]) / 1000, 3)),
    '',
    '',
    '',
  ];
}

/** Measures the time from INVITE to an immediate 180, first without a proxy and then through each, and prints percentiles and what each adds. */
export async function latency(options: BenchOptions): Promise<void> {
  const { seconds, callers, children, delayMs, node, warmUp } = options;
  const rate = options.rate ?? DEFAULT_RATE;
  const calls = rate * seconds;
  const load = { rate, calls, onlyRings: false, warmUp };
  const callee = await freePort();
  const direct = await runUdpLoad({ ...load, target: callee, callee });
  for (const cached of options.cached) {
    const rows = [row('direct', calls, direct)];
    for (const proxy of presentProxies(options)) {
      const arrangement = { proxy, cached, delayMs, callers, children, node, withCallee: false };
      const through = await withArrangement(arrangement, (bench) =>
        runUdpLoad({ ...load, target: bench.target, callee: bench.calleePort }),
      );
      rows.push(row(proxy, calls, through), addedRow(proxy, direct, through));
    }
    print(`\n${rate} calls/s for ${seconds} s, ${cached ? 'with' : 'without'} memcached operations\n`);
    print(table(HEAD, rows));
  }
}
