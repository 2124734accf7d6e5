import type { EventEmitter } from 'node:events';
import type { ListenPoint } from '../sip/hop.ts';
import type { Logger } from '../log.ts';
import type { Figures } from '../registry/figures.ts';
import { messageOf } from '../registry/shown.ts';
import { printListenOption } from '../transport/listen-option.ts';

/** What `serve` needs of a proxy. */
export interface Servable {
  readonly points: readonly Pick<ListenPoint, 'protocol' | 'address' | 'port'>[];
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The same of one whose figures can be asked for. */
export interface Measured extends Servable {
  readonly metrics: Figures;
}

/** What surrounds a proxy that serves. */
export interface Surroundings {
  readonly log: Logger;
  /** Writes a line whatever the level of the log. */
  readonly announce: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Where signals and faults of the process come from: `process`. */
  readonly events: EventEmitter;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  /** Monotonic time, ms. */
  readonly now: () => number;
  /** Takes in anew, at each SIGHUP and at once, what need not wait for routes that load. Throws nothing. */
  readonly renew: () => void;
  /** Whether a SIGHUP came before this: what it asks for is done once the proxy is ready. */
  readonly hungUp: boolean;
  /** Loads the routes file anew and puts it in force. Throws when it is wrong. */
  readonly reload: () => Promise<void>;
}

/** Signals to stop that come within this time of the first are the same one, ms: npm sends on the SIGINT that a terminal gives to both. */
const SAME_SIGNAL_MS = 500;

/**
 * Starts a proxy and serves until a signal or a fault ends it. Returns the exit code: 0 after a clean stop, 1 after a fault.
 *
 * SIGTERM and SIGINT stop it, a second one at once; SIGHUP reloads routes and what `renew` does. A promise that is rejected and forgotten is logged; an exception
 * that no one caught stops the proxy, since what it left half done is not known.
 *
 * @throws What the start threw.
 */
export async function serve(proxy: Servable, surroundings: Surroundings): Promise<number> {
  const { log, announce, events, exit, now, hungUp } = surroundings;
  let stopping = false;
  let signalledMs = -Infinity;
  let end: (code: number) => void;
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const stop = (code: number): void => {
    if (stopping) exit(1);
    stopping = true;
    end(code);
  };
  const onSignal = (signal: unknown): void => {
    if (now() - signalledMs < SAME_SIGNAL_MS) return;
    if (!stopping) {
      log.notice('stopping', { signal });
      signalledMs = now();
    }
    stop(0);
  };
  const onHangup = reloader(surroundings);
  const listeners: readonly (readonly [string, (first: unknown) => void])[] = [
    ['SIGTERM', onSignal],
    ['SIGINT', onSignal],
    ['SIGHUP', onHangup],
    ['unhandledRejection', (reason) => log.error('a rejected promise was not handled', { error: reason })],
    [
      'uncaughtException',
      (error) => {
        log.error('an exception was not caught; the proxy stops', { error });
        stop(1);
      },
    ],
  ];
  for (const [event, listener] of listeners) events.on(event, listener);
  try {
    const started = proxy.start();
    await Promise.race([started, ended]);
    if (!stopping) announce('ready', { listen: proxy.points.map(addressOf).join(' ') });
    if (hungUp && !stopping) onHangup();
    const code = await ended;
    // A start that the stop interrupts fails, or never ends; neither is news, nor waited for.
    started.catch(() => undefined);
    await proxy.stop();
    log.notice('stopped');
    return code;
  } finally {
    for (const [event, listener] of listeners) events.off(event, listener);
  }
}

function addressOf({ protocol, address, port }: Servable['points'][number]): string {
  return printListenOption({ protocol, host: address, port });
}

/** Reloads routes one at a time; a signal that comes meanwhile causes one more reload, however many come. */
function reloader({ log, renew, reload }: Surroundings): () => void {
  let running = false;
  let again = false;
  const run = async (): Promise<void> => {
    running = true;
    do {
      again = false;
      try {
        await reload();
        log.notice('routes reloaded');
      } catch (error) {
        log.error('routes not reloaded, the ones before stay in force');
        for (const line of messageOf(error).split('\n')) log.error(line);
      }
    } while (again);
    running = false;
  };
  return () => {
    renew();
    if (running) again = true;
    else void run();
  };
}
