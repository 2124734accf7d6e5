import { errors, type Place, type ProxyError, ProxyErrors } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Fields, isFields } from '../registry/fields.ts';
import { functionsOf, type Loaded, variablesOf } from '../registry/loaded.ts';
import { didYouMean } from '../registry/nearest.ts';
import type { NamedRouteKind } from '../registry/services.ts';
import { excerpt, messageOf, shown } from '../registry/shown.ts';
import { compileContext, type Context, type ContextClass } from './bind.ts';
import { namesArmedBy } from './armed-names.ts';
import { compileFormat } from './format.ts';
import { wrongChoices } from './wrong-choices.ts';
import { literalFormats } from './literal-formats.ts';
import { literalKeys } from './literal-keys.ts';
import { Variables } from './variables.ts';

type Run = (context: Context) => unknown;

/** A handler of a routes file. */
export interface Handler {
  /** As messages name it: `request`, `failure busy`. */
  readonly label: string;
  readonly run: Run;
  readonly log: Logger;
}

/** The checked handlers of a routes file, with the class of the contexts that they receive. Never changes. */
export interface HandlerSet {
  readonly file: string;
  readonly Context: ContextClass;
  readonly request: Handler;
  readonly reply: Handler | null;
  readonly named: Readonly<Record<NamedRouteKind, ReadonlyMap<string, Handler>>>;
}

/**
 * Where a place in a handler stands in the user's files, from the handler's source text and the offset in it; null where it cannot be
 * told.
 */
export type PlaceOf = (source: string, offset: number) => Place | null;

/** Where routes come from. */
export interface RoutesOrigin {
  readonly file: string;
  /** Without it, mistakes inside handlers name the file and no line. */
  readonly placeOf?: PlaceOf | undefined;
}

/** What the checks need of the registry. */
export interface LoadedModules {
  readonly loaded: readonly Loaded[];
}

const NAMED_KINDS = ['onreply', 'failure', 'branch'] as const;
const KEYS = ['uses', 'request', 'reply', ...NAMED_KINDS] as const;

/**
 * Checks a routes file's default export against the loaded modules and makes handlers of it.
 *
 * @throws ProxyErrors with every mistake: ERR_ROUTE_SHAPE, ERR_ROUTE_USES, ERR_ROUTE_NAME, ERR_ROUTE_KEY, ERR_ROUTE_FORMAT, ERR_ROUTE_CHOICE.
 */
export function handlerSet(
  routes: unknown,
  { loaded }: LoadedModules,
  { file, placeOf, log }: RoutesOrigin & { readonly log: Logger },
): HandlerSet {
  const checks = new RoutesChecks({ file, placeOf }, log);
  const fields = checks.fields(routes);
  const uses = checks.uses(fields['uses'], loaded);
  const request = checks.handler('request', fields['request'], fields);
  const reply = fields['reply'] === undefined ? null : checks.handler('reply', fields['reply'], fields);
  const named = {
    onreply: checks.group('onreply', fields),
    failure: checks.group('failure', fields),
    branch: checks.group('branch', fields),
  };
  checks.armedNames(named);
  checks.literalKeys(loaded);
  checks.literalFormats(loaded);
  checks.choices(loaded);
  if (checks.mistakes.length > 0 || request === null) throw new ProxyErrors(checks.mistakes);
  const isUsed = ({ module }: Loaded): boolean => uses.includes(module.name);
  const unused = loaded.filter((one) => !isUsed(one));
  return { file, Context: compileContext(loaded.filter(isUsed), unused), request, reply, named };
}

/** Collects the mistakes of one routes file. */
class RoutesChecks {
  readonly mistakes: ProxyError[] = [];
  readonly #file: string;
  readonly #placeOf: PlaceOf | undefined;
  readonly #log: Logger;
  /** Every handler that is a function, with its source text. */
  readonly #sources: { readonly label: string; readonly source: string }[] = [];

  constructor({ file, placeOf }: RoutesOrigin, log: Logger) {
    this.#file = file;
    this.#placeOf = placeOf;
    this.#log = log;
  }

  fields(routes: unknown): Fields {
    if (!isFields(routes)) {
      this.#shape('the default export', 'an object made with defineRoutes', routes);
      throw new ProxyErrors(this.mistakes);
    }
    for (const key of Object.keys(routes)) {
      if (!(KEYS as readonly string[]).includes(key))
        this.#shape(key, `one of ${KEYS.join(', ')}`, routes[key], didYouMean(key, KEYS));
    }
    return routes;
  }

  uses(value: unknown, loaded: readonly Loaded[]): readonly unknown[] {
    if (!Array.isArray(value)) {
      this.#shape('uses', 'an array of module names', value);
      return [];
    }
    const names = loaded.map(({ module }) => module.name);
    for (const name of value as readonly unknown[]) {
      if (typeof name !== 'string') this.#shape('uses', 'an array of module names', name);
      else if (!names.includes(name))
        this.mistakes.push(errors.ERR_ROUTE_USES(this.#file, name, didYouMean(name, names)));
    }
    return value;
  }

  handler(label: string, value: unknown, owner: Fields): Handler | null {
    if (typeof value !== 'function') {
      this.#shape(label, 'a function', value);
      return null;
    }
    this.#sources.push({ label, source: Function.prototype.toString.call(value) });
    return {
      label,
      run: (context): unknown => Reflect.apply(value, owner, [context]),
      log: this.#log.child({ route: label }),
    };
  }

  group(kind: NamedRouteKind, routes: Fields): Map<string, Handler> {
    const handlers = new Map<string, Handler>();
    const value = routes[kind];
    if (value === undefined) return handlers;
    if (!isFields(value)) {
      this.#shape(kind, 'an object of functions', value);
      return handlers;
    }
    for (const name of Object.keys(value)) {
      const handler = this.handler(`${kind} ${name}`, value[name], value);
      if (handler !== null) handlers.set(name, handler);
    }
    return handlers;
  }

  armedNames(named: HandlerSet['named']): void {
    for (const { label, source } of this.#sources) {
      for (const { fn, kind, name, offset } of namesArmedBy(source)) {
        if (named[kind].has(name)) continue;
        const hint = didYouMean(name, named[kind].keys());
        this.mistakes.push(errors.ERR_ROUTE_NAME(this.#at(source, offset), label, fn, name, kind, hint));
      }
    }
  }

  literalKeys(loaded: readonly Loaded[]): void {
    const expanding = new Set(
      loaded.flatMap((each) =>
        variablesOf(each.module).flatMap(([name, { expands }]) => (expands ? [name] : [])),
      ),
    );
    for (const { label, source } of this.#sources) {
      for (const { variable, key, offset } of literalKeys(source, expanding)) {
        const at = this.#at(source, offset);
        this.mistakes.push(errors.ERR_ROUTE_KEY(at, label, variable, key, variable, key));
      }
    }
  }

  literalFormats(loaded: readonly Loaded[]): void {
    const variables = new Variables(loaded);
    const expanding = new Set(
      loaded.flatMap(({ module }) =>
        functionsOf(module).flatMap(([name, { expands }]) => (expands ? [`${module.name}.${name}`] : [])),
      ),
    );
    for (const { label, source } of this.#sources) {
      for (const { fn, format, offset } of literalFormats(source, expanding)) {
        try {
          compileFormat(format, variables);
        } catch (cause) {
          const at = this.#at(source, offset);
          this.mistakes.push(errors.ERR_ROUTE_FORMAT(at, label, fn, excerpt(format), messageOf(cause)));
        }
      }
    }
  }

  choices(loaded: readonly Loaded[]): void {
    const choicesOf = new Map(
      loaded.flatMap(({ module }) =>
        functionsOf(module).flatMap(([name, { choices }]) =>
          choices === undefined ? [] : [[`${module.name}.${name}`, choices]],
        ),
      ),
    );
    for (const { label, source } of this.#sources) {
      for (const { fn, given, choices, offset } of wrongChoices(source, choicesOf)) {
        const at = this.#at(source, offset);
        const hint = didYouMean(given, choices);
        this.mistakes.push(errors.ERR_ROUTE_CHOICE(at, label, fn, excerpt(given), choices.join(', '), hint));
      }
    }
  }

  /** `file:line:column` of a place in a handler; the routes file alone where it cannot be told. */
  #at(source: string, offset: number): string {
    const place = this.#placeOf?.(source, offset) ?? null;
    return place === null ? this.#file : `${place.file}:${place.line}:${place.column}`;
  }

  #shape(what: string, expected: string, found: unknown, hint = ''): void {
    this.mistakes.push(errors.ERR_ROUTE_SHAPE(this.#file, what, expected, shown(found), hint));
  }
}
