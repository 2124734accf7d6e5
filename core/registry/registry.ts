import { errors, type ProxyError, ProxyErrors } from '../errors.ts';
import type { Logger } from '../log.ts';
import { awaitWithin, type Outcome } from './await-within.ts';
import { checkRequests, type Checked, type LoadRequest } from './load-checks.ts';
import type { Loaded } from './loaded.ts';
import type { AnyModule } from './module.ts';
import { isPromiseLike } from './promise-like.ts';
import type { CoreServices } from './services.ts';
import { messageOf } from './shown.ts';
import { framesOf, userFrame } from './stack-frames.ts';

export type { LoadRequest } from './load-checks.ts';

/** This file as stacks name it. */
const THIS_FILE = /\/core\/registry\/registry\.[jt]s$/;

interface LoadContext {
  readonly log: Logger;
  readonly core: CoreServices;
}

interface StepLimit {
  /** Longest wait for one module, ms. */
  readonly timeoutMs: number;
}

/** The loaded modules, in start order. Nothing is half loaded: `load` throws, or every check has passed and every `init` has run. */
export class Registry {
  readonly loaded: readonly Loaded[];
  readonly core: CoreServices;
  readonly #log: Logger;
  /** Those that run, in the order in which they started. */
  #started: Loaded[] = [];
  #starting: Promise<void> | null = null;
  #stopWanted = false;

  private constructor(loaded: readonly Loaded[], { log, core }: LoadContext) {
    this.loaded = loaded;
    this.core = core;
    this.#log = log;
  }

  /**
   * Checks and initialises modules.
   *
   * @throws ProxyErrors with every mistake found: ERR_MODULE_UNKNOWN, ERR_MODULE_DUPLICATE, ERR_MODULE_NAME_TAKEN,
   * ERR_MODULE_DECLARATION, ERR_MODULE_DEPENDENCY, ERR_MODULE_CYCLE, ERR_PARAM_UNKNOWN, ERR_PARAM_VALUE, ERR_PV_DUPLICATE; when there
   * is none of these, ERR_MODULE_INIT for each `init` that threw.
   */
  static load(
    available: readonly AnyModule[],
    wanted: readonly LoadRequest[],
    context: LoadContext,
  ): Registry {
    const { checked, mistakes } = checkRequests(available, wanted);
    if (mistakes.length > 0) throw new ProxyErrors(mistakes);
    return new Registry(initialise(checked, context), context);
  }

  get names(): readonly string[] {
    return this.loaded.map(({ module }) => module.name);
  }

  /**
   * Starts the modules one after the other, each after those that it depends on. A start that fails or takes longer than `timeoutMs`
   * stops what had started, in reverse order; a module that was only late is stopped when its start ends after all.
   *
   * @throws ERR_MODULE_START naming the module.
   */
  start(limit: StepLimit): Promise<void> {
    this.#starting ??= this.#startAll(limit);
    return this.#starting;
  }

  /**
   * Stops what was started, in reverse order, and interrupts a start that is going on. A module that fails, or that takes longer than
   * `timeoutMs`, does not keep the others running.
   *
   * @throws ProxyErrors with an ERR_MODULE_STOP for each that did not stop well.
   */
  async stop(limit: StepLimit): Promise<void> {
    this.#stopWanted = true;
    // Its failure is for the one who called `start`.
    await this.#starting?.catch(() => undefined);
    const failures = await this.#stopAll(limit);
    if (failures.length > 0) throw new ProxyErrors(failures);
  }

  async #startAll(limit: StepLimit): Promise<void> {
    for (const loaded of this.loaded) {
      const failure = this.#stopWanted
        ? errors.ERR_MODULE_START(loaded.module.name, 'the proxy is being stopped')
        : await this.#startOne(loaded, limit);
      if (failure === null) {
        this.#started.push(loaded);
        continue;
      }
      for (const other of await this.#stopAll(limit)) this.#log.error(other.message);
      throw failure;
    }
  }

  async #startOne(loaded: Loaded, limit: StepLimit): Promise<ProxyError | null> {
    const { module, state } = loaded;
    const { pending, outcome } = await this.#step(() => module.start?.(state), limit);
    if (outcome === 'done') return null;
    if (outcome === 'late') void pending.then(() => this.#stopLate(loaded, limit), ignore);
    return stepError(errors.ERR_MODULE_START(module.name, reasonOf(outcome, limit)), outcome);
  }

  async #stopLate(loaded: Loaded, limit: StepLimit): Promise<void> {
    const failure = await this.#stopOne(loaded, limit);
    if (failure !== null) this.#log.error(failure.message);
  }

  async #stopAll(limit: StepLimit): Promise<ProxyError[]> {
    const failures: ProxyError[] = [];
    for (let loaded = this.#started.pop(); loaded !== undefined; loaded = this.#started.pop()) {
      const failure = await this.#stopOne(loaded, limit);
      if (failure !== null) failures.push(failure);
    }
    return failures;
  }

  async #stopOne({ module, state }: Loaded, limit: StepLimit): Promise<ProxyError | null> {
    const { outcome } = await this.#step(() => module.stop?.(state), limit);
    if (outcome === 'done') return null;
    return stepError(errors.ERR_MODULE_STOP(module.name, reasonOf(outcome, limit)), outcome);
  }

  /** Runs a module's `start` or `stop`; a throw counts as a rejection. */
  async #step(run: () => unknown, { timeoutMs }: StepLimit) {
    const pending = new Promise<unknown>((resolve) => resolve(run()));
    const outcome = await new Promise<Outcome>((resolve) => {
      awaitWithin(pending, { clock: this.core.clock, timeoutMs }, resolve);
    });
    return { pending, outcome };
  }
}

/** What a module that was given up does in the end no longer matters: its failure has been reported. */
function ignore(): void {}

function reasonOf(outcome: Exclude<Outcome, 'done'>, { timeoutMs }: StepLimit): string {
  return outcome === 'late' ? `it took longer than ${timeoutMs} ms` : reasonIn(outcome.failed);
}

/** What a module threw, with its line where that is in a file of the user. Frames from here on are of whoever loads modules. */
function reasonIn(thrown: unknown): string {
  const frames = framesOf(thrown);
  const here = frames.findIndex(({ path }) => THIS_FILE.test(path));
  const at = userFrame(here < 0 ? frames : frames.slice(0, here));
  return at === undefined ? messageOf(thrown) : `${messageOf(thrown)} (${at.path}:${at.line})`;
}

/** The parameter that a module refused: its message begins with `module.parameter`. */
function paramIn(thrown: unknown, { name, params }: AnyModule): string | null {
  const [, module, param = ''] = /^(\w+)\.(\w+)/.exec(messageOf(thrown)) ?? [];
  return module === name && Object.hasOwn(params, param) ? param : null;
}

function stepError(error: ProxyError, outcome: Exclude<Outcome, 'done'>): ProxyError {
  if (outcome !== 'late') error.cause = outcome.failed;
  return error;
}

/** Runs every `init` whose dependencies are there, so that the mistakes of one module do not hide those of another. */
function initialise(checked: readonly Checked[], { log, core }: LoadContext): Loaded[] {
  const apis = new Map<string, unknown>();
  const loaded: Loaded[] = [];
  const failures: ProxyError[] = [];
  for (const { module, params, place, placeOf } of checked) {
    const depends: readonly string[] = module.depends;
    if (!depends.every((name) => apis.has(name))) continue;
    const ownLog = log.child({ module: module.name });
    const deps = Object.fromEntries(depends.map((name) => [name, apis.get(name)]));
    try {
      const state: unknown = module.init({ params, log: ownLog, core, deps });
      if (isPromiseLike(state)) {
        void state.then(ignore, ignore);
        throw new TypeError('init returned a promise; what has to wait belongs into start');
      }
      apis.set(module.name, module.api?.(state));
      loaded.push({ module, state, log: ownLog });
    } catch (cause) {
      const param = paramIn(cause, module);
      const at = param === null ? place : placeOf(param);
      const failure = errors.ERR_MODULE_INIT.at(at, module.name, reasonIn(cause));
      failure.cause = cause;
      failures.push(failure);
    }
  }
  if (failures.length > 0) throw new ProxyErrors(failures);
  return loaded;
}
