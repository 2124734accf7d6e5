import type { Clock } from '../clock.ts';

/** How something awaited ended: as it should, by an error, or not in time. */
export type Outcome = 'done' | 'late' | { readonly failed: unknown };

/** Calls `end` once: when `pending` settles, or after `timeoutMs`. What happens to `pending` after that is not looked at. */
export function awaitWithin(
  pending: PromiseLike<unknown>,
  limit: { readonly clock: Clock; readonly timeoutMs: number },
  end: (outcome: Outcome) => void,
): void {
  let open = true;
  const settle = (outcome: Outcome): void => {
    if (!open) return;
    open = false;
    timer.cancel();
    end(outcome);
  };
  const timer = limit.clock.setTimer(limit.timeoutMs, () => settle('late'));
  pending.then(
    () => settle('done'),
    (failed: unknown) => settle({ failed }),
  );
}
