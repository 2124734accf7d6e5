import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

type Answered = Parameters<LookupFunction>[2];

/**
 * Returns a look-up of host names that asks once at a time: whoever asks while an answer is awaited shares it. Look-ups cannot be called off
 * and hold one of the process's few threads each, so that those of failed connections would pile up while a name server is silent.
 */
export function sharedLookup(resolve: LookupFunction = lookup): LookupFunction {
  let waiting: Answered[] | null = null;
  return (host, options, answered) => {
    if (waiting !== null) {
      waiting.push(answered);
      return;
    }
    waiting = [answered];
    resolve(host, options, (error, address, family) => {
      const all = waiting ?? [];
      waiting = null;
      for (const each of all) each(error, address, family);
    });
  };
}
