/**
 * Runs benchmarks: `npm run bench` for the usual ones, `npm run bench -- NAME [OPTIONS]` for one. README.md of this folder lists them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { read } from '../architecture/source-files.ts';
import { type BenchOptions, readOptions, UsageError } from './options.ts';
import { print } from './table.ts';

/** Benchmarks that are scripts of their own, with the options of Node.js that they need. */
const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  parse: ['--expose-gc'],
  udp: [],
  timers: [],
  memcached: [],
  call: [],
  memory: ['--expose-gc'],
  start: [],
  keys: ['--expose-gc'],
};

type Command = (options: BenchOptions) => Promise<void>;

/** Benchmarks that take the options. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  calls: async () => (await import('./calls.ts')).calls,
  search: async () => (await import('./search.ts')).search,
  latency: async () => (await import('./latency.ts')).latency,
  linear: async () => (await import('./linear.ts')).linear,
  overload: async () => (await import('./overload.ts')).overload,
  soak: async () => (await import('./soak.ts')).soak,
  'flame-graph': async () => (await import('./flame-graph.ts')).flameGraph,
};

const HELP = ['--help', '-h'];

/** What runs when nothing is named. */
const USUAL = ['parse', 'udp', 'timers', 'memcached', 'call', 'memory', 'start', 'calls'];

/** Runs a script to its end, in a process of its own: what other code has made of the heap and the compiler must not matter. */
async function runScript(name: string, args: readonly string[]): Promise<void> {
  const file = fileURLToPath(new URL(`./${name}.bench.js`, import.meta.url));
  const child = spawn(process.execPath, [...(SCRIPTS[name] ?? []), file, ...args], { stdio: 'inherit' });
  const [code]: unknown[] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${name} ended with ${String(code)}`);
}

async function runOne(name: string, args: readonly string[]): Promise<void> {
  if (name in SCRIPTS) return runScript(name, args);
  const load = COMMANDS[name];
  if (load === undefined) {
    throw new UsageError(
      `no benchmark '${name}': ${[...Object.keys(SCRIPTS), ...Object.keys(COMMANDS)].join(', ')}`,
    );
  }
  const options = readOptions(args);
  const command = await load();
  return command(options);
}

/** What README.md of this folder says of names and options. */
function usage(): string {
  const [text = ''] = read('test/bench/README.md').split('\n## Files\n');
  return text;
}

const [name, ...args] = process.argv.slice(2);
try {
  if (HELP.some((option) => option === name || args.includes(option))) {
    print(usage());
    process.exit(0);
  }
  for (const each of name === undefined ? USUAL : [name]) {
    if (name === undefined) print(`\n## ${each}\n`);
    await runOne(each, args);
  }
  process.exit(0);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
