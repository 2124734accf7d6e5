import type { Clock, Timer } from '../../core/index.ts';
import type { Action, Effect, Table, TimerName } from './machines.ts';
import { timerMs, type Timing } from './timing.ts';
import type { Waiting, WaitQueue, Waits } from './wait-queue.ts';

/** What every transaction needs of its surroundings. */
export interface Environment {
  readonly clock: Clock;
  readonly timing: Timing;
  readonly waits: Waits;
}

/** Whom a machine works for. */
export interface MachineUser {
  readonly environment: Environment;
  /** A message is sent again. */
  resending(): void;
}

/** Inputs that come from the machine's own two timers. */
type TimerInput = 'retry' | 'deadline';

/** What its timers call. */
interface Timed {
  retryDue(): void;
  deadlineDue(): void;
}
const retryDue = (machine: Timed): void => machine.retryDue();
const deadlineDue = (machine: Timed): void => machine.deadlineDue();

/**
 * One transaction machine at work: its state, and the two timers that can run at a time, one for retransmissions (A, E, G) and one that
 * ends a state (B, D, F, H to M).
 */
export abstract class RunningMachine<
  State extends string,
  Input extends string,
  Payload,
  User extends MachineUser = MachineUser,
> implements Timed, Waiting
{
  state: State;
  readonly #machine: Table<State, Input | TimerInput>;
  protected readonly user: User;
  readonly #reliable: boolean;
  #retry: Timer | null = null;
  #retryMs = 0;
  #deadline: Timer | null = null;
  /** Where it waits for the end of its last state (timers D and I to M), and its place there. */
  #queue: WaitQueue | null = null;
  #place = 0;

  protected constructor(
    user: User,
    machine: Table<State, Input | TimerInput>,
    options: { readonly state: State; readonly reliable: boolean },
  ) {
    this.user = user;
    this.#machine = machine;
    this.state = options.state;
    this.#reliable = options.reliable;
  }

  /** Stops all timers: for a proxy that stops, and at the end. */
  cancelTimers(): void {
    this.#retry?.cancel();
    this.#deadline?.cancel();
    this.#retry = null;
    this.#deadline = null;
    this.#queue?.put(this.#place, null);
    this.#queue = null;
  }

  /** Whether it has come to its last state, and waits for the end of that. */
  get isWaiting(): boolean {
    return this.#queue !== null;
  }

  /** Has another wait in its place: it will hear of nothing any more. */
  handOver(to: Waiting): void {
    this.#queue?.put(this.#place, to);
    this.#queue = null;
  }

  waitOver(): void {
    this.#queue = null;
    this.step('deadline', null);
  }

  /** Does what an effect other than a timer stands for. */
  protected abstract perform(
    action: Exclude<Action, 'stop retry' | 'stop deadline'>,
    payload: Payload | null,
  ): void;
  /** The machine has reached `terminated`. */
  protected abstract ended(): void;

  retryDue(): void {
    this.step('retry', null);
  }
  deadlineDue(): void {
    this.step('deadline', null);
  }

  protected step(input: Input | TimerInput, payload: Payload | null): void {
    const cell = this.#machine[this.state]?.[input];
    if (cell === null) return;
    if (cell === undefined) throw new Error(`transaction in state ${this.state} cannot take: ${input}`);
    this.state = cell.to;
    for (const effect of cell.effects) this.#apply(effect, payload);
    if (cell.to === 'terminated') {
      this.cancelTimers();
      this.ended();
    }
  }

  #apply(effect: Effect, payload: Payload | null): void {
    switch (effect) {
      case 'stop retry':
        this.stopRetry();
        return;
      case 'stop deadline':
        this.#deadline?.cancel();
        this.#deadline = null;
        return;
      case 'send':
      case 'resend':
      case 'ack':
      case 'to user':
      case 'timed out':
      case 'transport failed':
        this.perform(effect, payload);
        return;
      case 'A':
      case 'E':
      case 'G':
        if (!this.#reliable) this.#startRetry(effect);
        return;
      case 'B':
      case 'F':
      case 'H':
        this.startDeadline(effect);
        return;
      case 'D':
      case 'I':
      case 'J':
      case 'K':
      case 'L':
      case 'M':
        this.#wait(effect);
    }
  }

  #startRetry(timer: 'A' | 'E' | 'G'): void {
    const proceeding = this.state === 'proceeding';
    this.#retryMs = timerMs(this.user.environment.timing, timer, {
      reliable: false,
      previousMs: this.#retryMs,
      proceeding,
    });
    this.#retry = this.user.environment.clock.setTimerFor(this, this.#retryMs, retryDue);
  }

  protected stopRetry(): void {
    this.#retry?.cancel();
    this.#retry = null;
  }

  /** Starts the timers of a client's first state. */
  protected startTimers(retry: 'A' | 'E', deadline: 'B' | 'F'): void {
    if (!this.#reliable) this.#startRetry(retry);
    this.startDeadline(deadline);
  }

  protected startDeadline(timer: 'B' | 'F' | 'H'): void {
    this.#deadline?.cancel();
    this.#deadline = this.user.environment.clock.setTimerFor(this, this.#lengthOf(timer), deadlineDue);
  }

  #wait(timer: 'D' | 'I' | 'J' | 'K' | 'L' | 'M'): void {
    this.#deadline?.cancel();
    this.#deadline = null;
    this.#queue = this.user.environment.waits.ofLength(this.#lengthOf(timer));
    this.#place = this.#queue.add(this);
  }

  #lengthOf(timer: TimerName): number {
    return timerMs(this.user.environment.timing, timer, {
      reliable: this.#reliable,
      previousMs: 0,
      proceeding: false,
    });
  }
}
