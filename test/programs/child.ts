import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** How long a program may take to start or to do what a test waits for, ms: generous, for machines under load. */
export const PATIENCE_MS = 20_000;
/** How long a program may take to end on SIGTERM before SIGKILL, ms. */
const STOP_PATIENCE_MS = 5_000;
const POLL_MS = 10;
/** Lines of output kept, the newest. */
const MAX_LINES = 20_000;

export interface Exit {
  /** Exit code; null when a signal ended the program or it could not be started. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const running = new Set<Child>();

function killAll(): void {
  for (const child of running) child.signal('SIGKILL');
}
process.on('exit', killAll);
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  process.once(signal, () => process.exit(128 + number));
}
// The one who reads the results is gone. Left to node:test, this process would end without the event `exit`.
process.stdout.once('error', () => process.exit(1));

/** A program that a test started. It has a process group of its own, which is killed when the test's process ends. */
export class Child {
  readonly program: string;
  /** Lines of standard output. */
  readonly out: string[] = [];
  /** Lines of standard error. */
  readonly err: string[] = [];
  /** Resolves when the program has ended and all its output has been read; never rejects. */
  readonly exited: Promise<Exit>;
  /** Null while the program runs. */
  exit: Exit | null = null;
  readonly #process: ChildProcess;

  constructor(
    program: string,
    args: readonly string[],
    options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ) {
    this.program = program;
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    running.add(this);
    this.#collect(child.stdout, this.out);
    this.#collect(child.stderr, this.err);
    this.exited = new Promise((resolve) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
        running.delete(this);
        this.exit ??= { code, signal };
        resolve(this.exit);
      };
      child.once('close', ended);
      child.once('error', (error) => {
        this.err.push(`could not be started: ${error.message}`);
        ended(null, null);
      });
    });
  }

  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw new Error(`${this.program} could not be started`);
    return pid;
  }

  /** Sends a signal to the program and all that it started; does nothing when it has ended. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#process;
    if (pid === undefined || this.exit !== null) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }

  /** Ends the program: SIGTERM, and SIGKILL when it takes longer than `patienceMs`. */
  async stop(patienceMs = STOP_PATIENCE_MS): Promise<Exit> {
    this.signal('SIGTERM');
    // A stopped program takes SIGTERM only when it goes on.
    this.signal('SIGCONT');
    const given = new AbortController();
    const late = delay(patienceMs, null, { signal: given.signal }).catch(() => null);
    const exit = (await Promise.race([this.exited, late])) ?? null;
    given.abort();
    if (exit !== null) return exit;
    this.signal('SIGKILL');
    return this.exited;
  }

  /**
   * Waits until `check` returns something else than null or false.
   *
   * @throws when the program ends before, or after `patienceMs`; the message has the program's last lines.
   */
  async until<T>(
    what: string,
    check: () => T | null | false | Promise<T | null | false>,
    patienceMs = PATIENCE_MS,
  ): Promise<T> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const ended = this.exit;
      const found = await check();
      if (found !== null && found !== false) return found;
      if (ended !== null) throw new Error(`${this.#ending(ended)} before ${what}${this.#lastLines()}`);
      if (performance.now() > deadline) {
        throw new Error(`${this.program}: no ${what} within ${patienceMs} ms${this.#lastLines()}`);
      }
      await Promise.race([delay(POLL_MS), this.exited]);
    }
  }

  #collect(stream: NodeJS.ReadableStream, lines: string[]): void {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > MAX_LINES) lines.shift();
    });
  }

  #ending({ code, signal }: Exit): string {
    return `${this.program} ended (${signal ?? `exit code ${code}`})`;
  }

  #lastLines(): string {
    const lines = [...this.out.slice(-20), ...this.err.slice(-20)];
    return lines.length === 0 ? '' : `; its last lines:\n${lines.join('\n')}`;
  }
}
