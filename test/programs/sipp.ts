import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.ts';
import { isTcpPortListening, isUdpPortBound } from './ports.ts';
import { tempFolder } from './temp-folder.ts';
import { tlsSipp } from './tls-sipp.ts';

/** How long a run may take unless told, ms. */
const DEFAULT_LIMIT_MS = 60_000;

export interface SippOptions {
  /** Path of a scenario file, or the name of one built into SIPp such as `uac` and `uas`. */
  readonly scenario: string;
  /** Local address; default 127.0.0.1. */
  readonly address?: string;
  /** Local port; default one that SIPp chooses. */
  readonly port?: number;
  /** `host:port` that requests go to (callers). */
  readonly target?: string;
  /** Calls to make or take; then SIPp ends. */
  readonly calls?: number;
  /** Calls started per second. */
  readonly rate?: number;
  /** Anything else for SIPp's command line: `['-s', 'alice', '-rsa', '127.0.0.1:5060']`. */
  readonly args?: readonly string[];
  /** The run is ended after this time, ms. */
  readonly limitMs?: number;
}

export interface SippResult {
  /** 0: every call succeeded; 1: some failed; 97: time limit of SIPp; null: ended by a signal or by `limitMs`. */
  readonly code: number | null;
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  readonly unexpectedMessages: number;
  /** Every column of SIPp's statistics file by name, such as `CallLengthDistribution` and its like; cumulative ones end in `(C)`. */
  readonly columns: ReadonlyMap<string, string>;
  /** What SIPp wrote to its error file and standard error, for messages of assertions. */
  readonly errors: string;
}

export interface Sipp {
  /** Resolves when SIPp has ended; never rejects. */
  readonly result: Promise<SippResult>;
  stop(): Promise<SippResult>;
}

/** The last line of a statistics file, by column. Empty when SIPp wrote none. */
function readColumns(file: string): ReadonlyMap<string, string> {
  if (!existsSync(file)) return new Map();
  const lines = readFileSync(file, 'latin1').trim().split('\n');
  const [names = [], values = []] = [lines[0], lines.length > 1 ? lines.at(-1) : ''].map((line) =>
    line?.split(';'),
  );
  return new Map(names.map((name, i) => [name, values[i] ?? '']));
}

function readErrors(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.startsWith('errors'));
  return files.map((name) => readFileSync(join(folder, name), 'latin1')).join('');
}

/** Starts SIPp and, when `port` is given, waits until it has bound it. */
export async function startSipp(options: SippOptions): Promise<Sipp> {
  const {
    scenario,
    address = '127.0.0.1',
    port,
    target,
    calls,
    rate,
    args = [],
    limitMs = DEFAULT_LIMIT_MS,
  } = options;
  const folder = tempFolder();
  const statistics = join(folder, 'statistics.csv');
  const usesTls = args.includes('l1');
  const child = new Child(
    (usesTls ? tlsSipp() : null) ?? 'sipp',
    [
      existsSync(scenario) ? '-sf' : '-sn',
      scenario,
      '-i',
      address,
      '-nostdin',
      '-trace_stat',
      '-stf',
      statistics,
      '-trace_err',
      '-error_file',
      join(folder, 'errors.log'),
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...(calls === undefined ? [] : ['-m', String(calls)]),
      ...(rate === undefined ? [] : ['-r', String(rate)]),
      ...args,
      ...(target === undefined ? [] : [target]),
    ],
    { cwd: folder },
  );
  const limit = setTimeout(() => child.signal('SIGKILL'), limitMs);
  const result = child.exited.then(({ code }): SippResult => {
    clearTimeout(limit);
    const columns = readColumns(statistics);
    const count = (name: string): number => Number(columns.get(name) ?? 0);
    return {
      code,
      successful: count('SuccessfulCall(C)'),
      failed: count('FailedCall(C)'),
      retransmissions: count('Retransmissions(C)'),
      unexpectedMessages: count('FailedUnexpectedMessage(C)'),
      columns,
      errors: readErrors(folder) + child.err.join('\n'),
    };
  });
  const isBound = usesTls || args.includes('t1') ? isTcpPortListening : isUdpPortBound;
  if (port !== undefined) await child.until(`socket on port ${port}`, () => isBound(port));
  return {
    result,
    stop: async () => {
      await child.stop();
      return result;
    },
  };
}

/** Runs SIPp to its end. */
export async function runSipp(options: SippOptions): Promise<SippResult> {
  const sipp = await startSipp(options);
  return sipp.result;
}
