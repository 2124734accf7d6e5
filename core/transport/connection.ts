import type { Timer } from '../clock.ts';
import type { ListenPoint, Received } from '../sip/hop.ts';
import type { Connections } from './connections.ts';
import { deliver } from './deliver.ts';
import type { Counters, SendFailure, TransportOptions } from './transport.ts';
import type { Wire, WireUser } from './wire.ts';

/** Answer to a keep-alive (RFC 5626 4.4.1). */
const PONG = Buffer.from('\r\n');

export interface ConnectionOptions {
  readonly table: Connections;
  readonly transport: Pick<TransportOptions, 'sink' | 'log'>;
  readonly counters: Counters;
  readonly received: Received;
  /** The peer opened it. */
  readonly incoming: boolean;
  /** Told of the first message. */
  readonly onFirst?: ((bytes: Buffer) => void) | undefined;
  /** Told once when it can be used no more. */
  readonly onClosed: () => void;
}

type State = 'opening' | 'open' | 'ending' | 'closed';

interface Waiting {
  readonly bytes: Buffer;
  readonly onError: SendFailure | undefined;
}

/** One connection: what waits to be sent on it, and how long it may live. */
export class Connection implements WireUser {
  /** Names it in `Received.flow` and `Target.flow`; never 0, never used again. */
  readonly flow: number;
  readonly incoming: boolean;
  readonly #options: ConnectionOptions;
  readonly #table: Connections;
  #wire: Wire | null = null;
  #state: State = 'opening';
  /** When the present state began. */
  #since: number;
  #openedAt: number;
  #activeAt: number;
  /** When the message began that is not whole yet; -1: there is none. */
  #partialSince = -1;
  /** When the peer last took something of what waits for it, or the first of it began to wait. */
  #takenAt = 0;
  #queuedBytes = 0;
  #first = true;
  /** A write has failed: its end is told later. */
  #isBroken = false;
  #waiting: Waiting[] = [];
  #whenClosed: (() => void) | null = null;
  #timer: Timer | null = null;
  #timerDue = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#table = options.table;
    this.flow = options.received.flow;
    this.incoming = options.incoming;
    this.#since = this.#table.clock.now();
    this.#openedAt = this.#since;
    this.#activeAt = this.#since;
    this.#table.add(this);
    this.#arm();
  }

  /** The listen point it belongs to. */
  get point(): ListenPoint {
    return this.#options.received.point;
  }

  /** Whether messages can be sent on it, now or as soon as it is set up. */
  get usable(): boolean {
    return !this.#isBroken && (this.#state === 'opening' || this.#state === 'open');
  }

  /** The first thing to call: what it writes to. */
  use(wire: Wire): void {
    this.#wire = wire;
  }

  /** Whether the peer has proved to be this host. */
  identifies(host: string): boolean {
    return this.#wire?.identifies(host) === true;
  }

  /** `onError` is called at most once, never before `send` returns. */
  send(bytes: Buffer, onError: SendFailure | undefined): void {
    const { limits } = this.#table;
    const room = Math.min(
      limits.connectionQueueBytes - this.#queuedBytes,
      limits.totalQueueBytes - this.#table.queuedBytes,
    );
    const reason = !this.usable ? 'connection is closed' : room < bytes.length ? 'write queue is full' : null;
    if (reason !== null) {
      this.#options.counters.errors += 1;
      if (onError !== undefined) process.nextTick(onError, new Error(reason));
      return;
    }
    this.#activeAt = this.#table.clock.now();
    if (this.#queuedBytes === 0) this.#takenAt = this.#activeAt;
    this.#queue(bytes.length);
    if (this.#state === 'opening') this.#waiting.push({ bytes, onError });
    else this.#write(bytes, onError);
  }

  /** Ends it once what waits has gone; within `send_timeout`. */
  end(): void {
    if (this.#state === 'opening') return this.destroy('connection is closed');
    if (this.#state !== 'open') return;
    this.#enter('ending');
    this.#wire?.end();
  }

  /** The same; resolves when it is gone. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#state === 'closed') return resolve();
      this.#whenClosed = resolve;
      this.end();
    });
  }

  destroy(reason: string): void {
    this.#wire?.destroy(new Error(reason));
  }

  opened(): void {
    if (this.#state !== 'opening') return;
    this.#enter('open');
    this.#openedAt = this.#since;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { bytes, onError } of waiting) this.#write(bytes, onError);
  }

  message(bytes: Buffer): void {
    if (this.#state !== 'open') return;
    const { counters, transport, received, onFirst } = this.#options;
    counters.received += 1;
    counters.receivedBytes += bytes.length;
    if (this.#first) {
      this.#first = false;
      onFirst?.(bytes);
    }
    // The next one has its own time.
    this.#partialSince = -1;
    deliver(transport, bytes, received);
  }

  alive(answer: boolean): void {
    if (this.#state !== 'open') return;
    this.#options.counters.keepAlives += 1;
    this.#activeAt = this.#table.clock.now();
    if (answer) this.send(PONG, undefined);
  }

  fault(reason: string, head: Buffer | null): void {
    if (this.#state !== 'open') return;
    const { counters, transport, received } = this.#options;
    counters.errors += 1;
    transport.log.info('a connection is closed because of what came on it', { ...this.#peer(), reason });
    // The parser finds the same fault, and answers it where it can be answered.
    if (head !== null) deliver(transport, head, received);
    this.end();
  }

  progress(partial: boolean): void {
    this.#activeAt = this.#table.clock.now();
    if (!partial) {
      this.#partialSince = -1;
    } else if (this.#partialSince < 0) {
      this.#partialSince = this.#activeAt;
      this.#arm();
    }
  }

  closed(error: Error | null): void {
    if (this.#state === 'closed') return;
    const wasOpening = this.#state === 'opening';
    this.#state = 'closed';
    this.#timer?.cancel();
    this.#table.remove(this);
    this.#options.onClosed();
    const { log } = this.#options.transport;
    if (log.isEnabled('debug')) log.debug('connection closed', { ...this.#peer(), error: error?.message });
    const waiting = this.#waiting;
    this.#waiting = [];
    const reason = error ?? new Error(wasOpening ? 'connection could not be set up' : 'connection is closed');
    for (const { bytes, onError } of waiting) this.#written(bytes.length, reason, onError);
    this.#whenClosed?.();
  }

  #peer() {
    const { address, port, point } = this.#options.received;
    return { peer: `${point.protocol}:${address}:${port}`, flow: this.flow };
  }

  #write(bytes: Buffer, onError: SendFailure | undefined): void {
    this.#arm();
    this.#wire?.write(bytes, (error) => this.#written(bytes.length, error ?? null, onError));
  }

  #written(length: number, error: Error | null, onError: SendFailure | undefined): void {
    this.#queue(-length);
    this.#takenAt = this.#table.clock.now();
    const { counters } = this.#options;
    if (error === null) {
      counters.sent += 1;
      counters.sentBytes += length;
    } else {
      this.#isBroken = true;
      counters.errors += 1;
      onError?.(error);
    }
  }

  #queue(bytes: number): void {
    this.#queuedBytes += bytes;
    this.#table.queuedBytes += bytes;
  }

  #enter(state: State): void {
    this.#state = state;
    this.#since = this.#table.clock.now();
    this.#arm();
  }

  /** When something is wrong if nothing happens until then. */
  #due(): number {
    const { limits } = this.#table;
    if (this.#state === 'opening') return this.#since + limits.connectTimeoutMs;
    if (this.#state === 'ending') return this.#since + limits.sendTimeoutMs;
    let due = this.#activeAt + limits.idleMs;
    if (limits.lifetimeMs > 0) due = Math.min(due, this.#openedAt + limits.lifetimeMs);
    if (this.#partialSince >= 0) due = Math.min(due, this.#partialSince + limits.messageTimeoutMs);
    if (this.#queuedBytes > 0) due = Math.min(due, this.#takenAt + limits.sendTimeoutMs);
    return due;
  }

  /** Sets the timer unless it will fire by then anyway: most deadlines move on before they are reached. */
  #arm(): void {
    const due = this.#due();
    if (this.#timer !== null && this.#timerDue <= due) return;
    this.#timer?.cancel();
    this.#timerDue = due;
    this.#timer = this.#table.clock.setTimer(due - this.#table.clock.now(), () => this.#look());
  }

  #look(): void {
    this.#timer = null;
    const now = this.#table.clock.now();
    if (this.#due() > now) return this.#arm();
    const slow = this.#slowness(now);
    if (slow === null) return this.end();
    const { log } = this.#options.transport;
    log.info('a connection is closed because its peer is too slow', { ...this.#peer(), reason: slow });
    this.destroy(slow);
  }

  /** What the peer is too slow at; null when the connection only is idle or old. */
  #slowness(now: number): string | null {
    const { limits } = this.#table;
    if (this.#state === 'opening') return 'connect timeout';
    if (this.#state === 'ending') return 'the peer does not close';
    if (this.#partialSince >= 0 && this.#partialSince + limits.messageTimeoutMs <= now)
      return 'a message takes too long';
    if (this.#queuedBytes > 0 && this.#takenAt + limits.sendTimeoutMs <= now) return 'send timeout';
    return null;
  }
}
