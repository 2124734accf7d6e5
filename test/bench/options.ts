import { parseArgs } from 'node:util';
import { CONTENDERS, type ContenderName, type NodeCommand, USUAL_NODE } from './contender.ts';

/** What the command line chooses; each command takes of it what it needs. */
export interface BenchOptions {
  /** Calls a second; null: what the command takes by itself. */
  readonly rate: number | null;
  readonly seconds: number;
  readonly rounds: number;
  /** SIPps that call. */
  readonly callers: number;
  /** Worker processes of Kamailio. */
  readonly children: number;
  /** CPUs that the proxy may use in `overload`; null: all that there are. */
  readonly cpus: number | null;
  /** Distance of memcached, ms in each direction. */
  readonly delayMs: number;
  readonly proxies: readonly ContenderName[];
  /** What runs kamaiki. */
  readonly node: NodeCommand;
  /** With memcached operations, without, or one after the other. */
  readonly cached: readonly boolean[];
  /** Calls before each measurement. */
  readonly warmUp: number;
  /** Bounds and fineness of what is searched, calls a second. */
  readonly low: number;
  readonly high: number;
  readonly step: number;
  /** Series of `linear`. */
  readonly rates: readonly number[];
  readonly live: readonly number[];
  /** Length of `soak`. */
  readonly minutes: number;
  /** File that `flame-graph` writes. */
  readonly out: string;
}

const CACHE = { on: [true], off: [false], both: [true, false] } as const;

/** The options, as they stand in the README of this folder. */
const OPTIONS = {
  rate: { type: 'string' },
  seconds: { type: 'string', default: '10' },
  rounds: { type: 'string', default: '5' },
  callers: { type: 'string', default: '1' },
  children: { type: 'string', default: '2' },
  cpus: { type: 'string' },
  'delay-ms': { type: 'string', default: '0' },
  proxies: { type: 'string', default: CONTENDERS.join(',') },
  node: { type: 'string', default: USUAL_NODE.join(' ') },
  cache: { type: 'string', default: 'both' },
  'warm-up': { type: 'string', default: '500' },
  low: { type: 'string', default: '500' },
  high: { type: 'string', default: '10000' },
  step: { type: 'string', default: '100' },
  rates: { type: 'string', default: '10,1000,4000' },
  live: { type: 'string', default: '10,10000,100000' },
  minutes: { type: 'string', default: '10' },
  out: { type: 'string', default: 'dist/flame-graph.svg' },
} as const;

/** What is wrong with the command line. */
export class UsageError extends Error {}

function numberOf(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < least) {
    throw new UsageError(`--${name}: expected a number of at least ${least}, found '${text}'`);
  }
  return value;
}

function countOf(name: string, text: string, least = 1): number {
  const value = numberOf(name, text, least);
  if (!Number.isInteger(value)) throw new UsageError(`--${name}: expected a whole number, found '${text}'`);
  return value;
}

function oneOf<K extends string>(name: string, text: string, names: readonly K[]): K {
  const found = names.find((each) => each === text);
  if (found === undefined) throw new UsageError(`--${name}: expected ${names.join(', ')}, found '${text}'`);
  return found;
}

function commandOf(name: string, text: string): NodeCommand {
  const [program = '', ...options] = text.trim().split(/\s+/u);
  if (program === '') throw new UsageError(`--${name}: expected a program and its options, found '${text}'`);
  return [program, ...options];
}

/** Reads the arguments behind the name of a command. @throws UsageError */
export function readOptions(args: readonly string[]): BenchOptions {
  const values = parsed(args);
  const list = (name: 'rates' | 'live'): number[] =>
    values[name].split(',').map((text) => countOf(name, text));
  const { rate, proxies, cache, cpus } = values;
  const options = {
    rate: rate === undefined ? null : countOf('rate', rate),
    seconds: countOf('seconds', values.seconds),
    rounds: countOf('rounds', values.rounds),
    callers: countOf('callers', values.callers),
    children: countOf('children', values.children),
    cpus: cpus === undefined ? null : numberOf('cpus', cpus, 0.1),
    delayMs: numberOf('delay-ms', values['delay-ms'], 0),
    proxies: proxies.split(',').map((name) => oneOf('proxies', name, CONTENDERS)),
    node: commandOf('node', values.node),
    cached: CACHE[oneOf('cache', cache, ['on', 'off', 'both'])],
    warmUp: countOf('warm-up', values['warm-up'], 0),
    low: countOf('low', values.low),
    high: countOf('high', values.high),
    step: countOf('step', values.step),
    rates: list('rates'),
    live: list('live'),
    minutes: numberOf('minutes', values.minutes, 0),
    out: values.out,
  };
  if (options.low >= options.high) throw new UsageError('--low: expected less than --high');
  return options;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
