import type { Clock } from '../../core/clock.ts';
import { type ProxyError, ProxyErrors } from '../../core/errors.ts';
import type { AnyModule } from '../../core/registry/module.ts';
import { type LoadRequest, Registry } from '../../core/registry/registry.ts';
import { Avps, type RouteKind, Scope } from '../../core/registry/scope.ts';
import type { CoreServices } from '../../core/registry/services.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { recordedLog } from '../transport/recorded-log.ts';

/** A module that does nothing, but for what is given. */
export function moduleOf(name: string, parts: Partial<AnyModule> = {}): AnyModule {
  return {
    name,
    doc: `The module ${name}.`,
    depends: [],
    params: {},
    init: () => ({}),
    pseudoVariables: {},
    functions: {},
    ...parts,
  };
}

/** Core services of which only the clock is there. */
export function coreWith(clock: Clock): CoreServices {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the registry uses the clock alone, and modules of these tests nothing
  return { clock } as CoreServices;
}

/** Requests for modules by name, without parameters. */
export function wanted(...names: readonly string[]): LoadRequest[] {
  return names.map((name) => ({ name, params: {} }));
}

/** Loads modules, by default all that are given, with a log and a clock to look at. */
export function load(available: readonly AnyModule[], requests = wanted(...available.map((m) => m.name))) {
  const log = recordedLog();
  const clock = new FakeClock();
  const registry = Registry.load(available, requests, { log, core: coreWith(clock) });
  return { registry, log, clock };
}

/** The errors that `run` throws together. */
export function mistakesOf(run: () => unknown): readonly ProxyError[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ProxyErrors) return error.errors;
    throw error;
  }
  return [];
}

/** The same as `CODE: message` lines. */
export function mistakeLines(run: () => unknown): string[] {
  return mistakesOf(run).map(({ code, message }) => `${code}: ${message}`);
}

/** An error message without the place at its end, which is in a file of these tests. */
export function withoutPlace(message: string): string {
  return message.replace(/ \(\/\S*\/test\/registry\/\S+\.[jt]s:\d+\)$/, '');
}

/** A run of a handler whose message has a few fields at most: nothing here reads SIP. */
export function scopeOf(route: RouteKind, fields: Readonly<Record<string, unknown>> = {}): Scope {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- stands for a message that only these tests read
  const msg = fields as unknown as Scope['msg'];
  return new Scope(route, msg, { request: null, response: null, avps: new Avps(), transaction: null });
}

/** A promise that a test settles when it wants to. */
export function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let settle: (() => void) | undefined;
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: () => settle?.() };
}

/** Lets everything that waits for settled promises run. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
