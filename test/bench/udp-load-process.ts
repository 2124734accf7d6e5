/**
 * The caller and callee of `latency` and `linear`, in a process of their own: `udp-load-process.js LOAD`, a UdpLoad in JSON. Prints what became of the calls, as JSON.
 */
import { makeCalls, type UdpLoad } from './udp-load.ts';
import { percentile } from './statistics.ts';

const load: UdpLoad = JSON.parse(process.argv[2] ?? '');
const { ringing, ended, ringUs } = await makeCalls(load);
const sorted = ringUs.filter((us) => !Number.isNaN(us)).toSorted();
process.stdout.write(
  `${JSON.stringify({
    ringing,
    ended,
    medianUs: percentile(sorted, 0.5),
    p99Us: percentile(sorted, 0.99),
    p999Us: percentile(sorted, 0.999),
    maxUs: percentile(sorted, 1),
  })}\n`,
);
process.exit(0);
