import type { Arrangement } from './arrangement.ts';
import { goodputOf } from './sipp-statistics.ts';
import { print, shown } from './table.ts';

/** How much more is offered from step to step. */
const GROWTH = 1.15;
/** Steps without more goodput after which the peak has been passed. */
const STEPS_BEYOND = 2;
/** Length of a step, s. */
const STEP_S = 5;
/** Share of the calls that may be refused at a rate that can be carried. */
const MAX_REFUSED = 0.001;

/** How far the calls of a proxy can be driven, calls a second. */
export interface Peak {
  /** The most that were offered when (nearly) all went well. */
  readonly carried: number;
  /** The most that went well, however many were offered. */
  readonly goodput: number;
}

/** Offers more and more calls a second, from `low` to at most `high`, until no more of them go well. */
export async function findPeak(
  bench: Arrangement,
  { low, high }: { readonly low: number; readonly high: number },
): Promise<Peak> {
  let peak: Peak = { carried: 0, goodput: 0 };
  let beyond = 0;
  for (let rate = low; rate <= high && beyond < STEPS_BEYOND; rate = Math.ceil(rate * GROWTH)) {
    const callers = await bench.begin({ rate, calls: rate * STEP_S, acceptsRefusal: true });
    const result = await callers.result;
    const { started, refused, failed, retransmissions } = result;
    const goodput = goodputOf(result, STEP_S);
    print(
      `  ${rate} calls/s offered: ${shown(goodput)} went well, ${refused} refused, ${failed} failed, ${retransmissions} retransmissions`,
    );
    beyond = goodput > peak.goodput ? 0 : beyond + 1;
    const isCarried = failed === 0 && refused <= started * MAX_REFUSED;
    peak = { carried: isCarried ? rate : peak.carried, goodput: Math.max(goodput, peak.goodput) };
  }
  return peak;
}
