import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../architecture/source-files.ts';
import { freePort } from '../programs/free-port.ts';
import { type Sipp, startSipp } from '../programs/sipp.ts';
import { tempFolder } from '../programs/temp-folder.ts';
import { parseStatistics, type SippStatistics, together } from './sipp-statistics.ts';

/** Socket buffers of SIPp, bytes: bursts shall wait, not be lost. */
const BUFFERS = ['-buff_size', '8388608'];
/** How long a run may go on after its last call has started, s: longer than the retransmissions of a request. */
const TAIL_S = 40;

const FOLDER = join(ROOT, 'test/bench/sipp');

/** Scenarios of callers and of callees. */
export type Scenario = 'caller' | 'caller-accepts-503' | 'callee';

function scenarioFile(scenario: Scenario): string {
  return join(FOLDER, `${scenario}.xml`);
}

/** Calls to make. */
export interface Load {
  /** Port of 127.0.0.1 that the calls go to. */
  readonly target: number;
  /** Calls a second, and in all. */
  readonly rate: number;
  readonly calls: number;
  /** SIPps that share them. */
  readonly callers: number;
  /** Default: `caller`. */
  readonly scenario?: Scenario;
}

/** Callers at work. */
export interface Callers {
  /** Resolves when all calls have ended. @throws when SIPp could not run. */
  readonly result: Promise<SippStatistics>;
  /** Ends what is left. */
  stop(): Promise<SippStatistics>;
}

/** A share of a whole number of calls or calls a second, so that the shares add up. */
function shareOf(total: number, index: number, count: number): number {
  return Math.floor((total * (index + 1)) / count) - Math.floor((total * index) / count);
}

/** Starts callers; they end by themselves when all calls have, or TAIL_S after they should have. */
export async function startCallers(load: Load): Promise<Callers> {
  const { target, rate, calls, scenario = 'caller' } = load;
  const callers = Math.min(load.callers, rate, calls);
  const limitS = Math.ceil(calls / rate) * 2 + TAIL_S;
  const started: { readonly sipp: Sipp; readonly file: string }[] = [];
  for (let i = 0; i < callers; i += 1) {
    const file = join(tempFolder(), 'seconds.csv');
    const port = String(await freePort());
    const sipp = await startSipp({
      scenario: scenarioFile(scenario),
      target: `127.0.0.1:${target}`,
      calls: shareOf(calls, i, callers),
      rate: shareOf(rate, i, callers),
      args: [
        '-p',
        port,
        '-s',
        'bob',
        '-l',
        String(calls),
        '-stf',
        file,
        '-fd',
        '1',
        '-timeout',
        String(limitS),
        ...BUFFERS,
      ],
      limitMs: (limitS + TAIL_S) * 1000,
    });
    started.push({ sipp, file });
  }
  const read = async (one: (typeof started)[number]): Promise<SippStatistics> => {
    const { errors } = await one.sipp.result;
    try {
      return parseStatistics(readFileSync(one.file, 'latin1'));
    } catch (cause) {
      throw new Error(`SIPp left no figures: ${errors.slice(0, 1000)}`, { cause });
    }
  };
  const result = Promise.all(started.map(read)).then(together);
  return {
    result,
    stop: async () => {
      await Promise.all(started.map(({ sipp }) => sipp.stop()));
      return result;
    },
  };
}

/** Starts a callee on a port of 127.0.0.1; it takes calls until it is stopped, or for `limitS`. */
export function startCallee(port: number, limitS: number): Promise<Sipp> {
  return startSipp({
    scenario: scenarioFile('callee'),
    port,
    args: BUFFERS,
    limitMs: limitS * 1000,
  });
}
