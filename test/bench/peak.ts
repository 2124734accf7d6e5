import type { Arrangement } from './arrangement.ts';
import { goodputOf } from './sipp-statistics.ts';
import { print, shown } from './table.ts';

/** How much more is offered from step to step. */
const GROWTH = 1.15;
/** Steps without a new peak after which it has been passed. */
const STEPS_BEYOND = 2;
/** Length of a step, s. */
const STEP_S = 5;

/** The most calls a second that a proxy brings to a good end. */
export interface Peak {
  readonly goodput: number;
  /** Calls a second that were offered then. */
  readonly offered: number;
}

/** Offers more and more calls a second, from `low` to at most `high`, until no more of them go well. */
export async function findPeak(
  bench: Arrangement,
  { low, high }: { readonly low: number; readonly high: number },
): Promise<Peak> {
  let peak: Peak = { goodput: 0, offered: 0 };
  let beyond = 0;
  for (let rate = low; rate <= high && beyond < STEPS_BEYOND; rate = Math.ceil(rate * GROWTH)) {
    const callers = await bench.begin({ rate, calls: rate * STEP_S, acceptsRefusal: true });
    const result = await callers.result;
    const goodput = goodputOf(result, STEP_S);
    print(
      `  ${rate} calls/s offered: ${shown(goodput)} went well, ${result.refused} refused, ${result.failed} failed, ${result.retransmissions} retransmissions`,
    );
    beyond = goodput > peak.goodput ? 0 : beyond + 1;
    if (goodput > peak.goodput) peak = { goodput, offered: rate };
  }
  return peak;
}
