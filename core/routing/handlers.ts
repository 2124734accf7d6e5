import type { Clock } from '../clock.ts';
import { errors, ProxyError } from '../errors.ts';
import type { LogFields, Logger } from '../log.ts';
import { awaitWithin, type Outcome } from '../registry/await-within.ts';
import { didYouMean } from '../registry/nearest.ts';
import { isPromiseLike } from '../registry/promise-like.ts';
import type { Scope } from '../registry/scope.ts';
import type { HandlerService, NamedRouteKind } from '../registry/services.ts';
import { messageOf } from '../registry/shown.ts';
import { stackOf } from '../registry/stack-frames.ts';
import { faultPlace } from './handler-fault.ts';
import {
  type Handler,
  type HandlerSet,
  handlerSet,
  type LoadedModules,
  type RoutesOrigin,
} from './handler-set.ts';

interface HandlersOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** How long a handler may take, ms. */
  readonly timeoutMs: number;
}

/** Runs the handlers of the routes file that is installed. */
export class Handlers implements HandlerService {
  readonly #log: Logger;
  readonly #limit: { readonly clock: Clock; readonly timeoutMs: number };
  #set: HandlerSet | null = null;
  #running = 0;

  constructor({ log, clock, timeoutMs }: HandlersOptions) {
    this.#log = log;
    this.#limit = { clock, timeoutMs };
  }

  /**
   * Checks a routes file's default export and makes it the one in force. Handlers that run go on with what they began with; when the
   * checks fail, so does everything.
   *
   * @throws ProxyErrors with every mistake, as `handlerSet`.
   */
  install(routes: unknown, registry: LoadedModules, origin: RoutesOrigin): void {
    this.#set = handlerSet(routes, registry, { ...origin, log: this.#log });
  }

  /** Handlers that wait for something, within their time limit. */
  get running(): number {
    return this.#running;
  }

  get hasReplyHandler(): boolean {
    return this.#set !== null && this.#set.reply !== null;
  }

  has(kind: NamedRouteKind, name: string): boolean {
    return this.#set?.named[kind].has(name) ?? false;
  }

  mustHave(
    kind: NamedRouteKind,
    name: string,
    { fn, scope }: { readonly fn: string; readonly scope: Scope },
  ): void {
    const set = this.#set;
    if (set === null || set.named[kind].has(name)) return;
    const hint = didYouMean(name, set.named[kind].keys());
    throw errors.ERR_ROUTE_NAME(set.file, scope.route, fn, name, kind, hint);
  }

  /** Runs the `request` handler. Returns whether it ended well; a promise only when it returned one. */
  runRequest(scope: Scope): boolean | Promise<boolean> {
    return this.#run(this.#set?.request, scope, 'request');
  }

  run(scope: Scope, name: string | null): boolean | Promise<boolean> {
    const { route } = scope;
    if (route === 'request') return this.runRequest(scope);
    if (route === 'reply') return this.#run(this.#set?.reply, scope, route);
    return this.#run(this.#set?.named[route].get(name ?? ''), scope, `${route} ${name}`);
  }

  #run(handler: Handler | null | undefined, scope: Scope, label: string): boolean | Promise<boolean> {
    const set = this.#set;
    if (set === null || handler === null || handler === undefined) {
      this.#log.error(
        `there is no ${label} handler: was it renamed or left out when the routes were loaded anew?`,
        {
          route: label,
          callId: scope.msg.callId,
        },
      );
      return false;
    }
    try {
      const result = handler.run(new set.Context(scope, handler.log));
      return isPromiseLike(result) ? this.#watch(result, handler, scope, set.file) : true;
    } catch (error) {
      reportFault(handler, error, scope, set.file);
      return false;
    }
  }

  #watch(pending: PromiseLike<unknown>, handler: Handler, scope: Scope, file: string): Promise<boolean> {
    this.#running += 1;
    return new Promise((resolve) => {
      awaitWithin(pending, this.#limit, (outcome) => {
        this.#running -= 1;
        if (outcome !== 'done') this.#reportOutcome(outcome, handler, scope, file);
        resolve(outcome === 'done');
      });
    });
  }

  #reportOutcome(outcome: Exclude<Outcome, 'done'>, handler: Handler, scope: Scope, file: string): void {
    if (outcome !== 'late') return reportFault(handler, outcome.failed, scope, file);
    const { timeoutMs } = this.#limit;
    return handler.log.error(`handler ${handler.label} took longer than ${timeoutMs} ms and was given up`, {
      file,
      callId: scope.msg.callId,
    });
  }
}

/** One line for the error; its stack only where someone looks for it. */
function reportFault(handler: Handler, error: unknown, { msg }: Scope, file: string): void {
  const { label, log } = handler;
  const at = faultPlace(error, file);
  const fields: LogFields =
    error instanceof ProxyError ? { at, code: error.code, callId: msg.callId } : { at, callId: msg.callId };
  // Messages of assertions go on for several lines.
  const [message] = messageOf(error).split('\n', 1);
  log.error(`handler ${label} failed at ${at}: ${message}`, fields);
  if (error instanceof Error && log.isEnabled('debug'))
    log.debug(`stack of the failed handler ${label}: ${stackOf(error) || 'none'}`);
}
