/** A timer that has been set. Cancelling one that has fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time as the proxy sees it: passed in, so that tests move it by hand. */
export interface Clock {
  /** Monotonic time, ms, from an arbitrary start. */
  now(): number;
  /** Calls `fire` once, not before `delayMs` have passed. */
  setTimer(delayMs: number, fire: () => void): Timer;
  /** The same, calling `fire` with `owner`: where there are many, one function serves all and none keeps a closure. */
  setTimerFor<T extends object>(owner: T, delayMs: number, fire: (owner: T) => void): Timer;
}
