import type { SipResponse } from '../../core/index.ts';
import type { Branch } from './branch.ts';

const CHALLENGES = ['WWW-Authenticate', 'Proxy-Authenticate'] as const;

function isChallenge(response: SipResponse): boolean {
  return response.status === 401 || response.status === 407;
}

/**
 * Adds the challenges of all other branches to a 401 or 407 that is about to go to the caller, who needs to answer each (RFC 3261 16.7 step 7).
 * Lines are taken over as they came.
 */
export function addChallenges(chosen: SipResponse, branches: readonly Branch[]): void {
  if (!isChallenge(chosen)) return;
  let lines = '';
  for (const { outcome, dropped } of branches) {
    const response = outcome?.response ?? null;
    if (response === null || response === chosen || dropped || !isChallenge(response)) continue;
    for (const name of CHALLENGES) {
      for (let i = response.findName(name); i >= 0; i = response.findName(name, i))
        lines += response.text.slice(response.headerStart(i), response.headerEnd(i));
    }
  }
  if (lines !== '') chosen.edits.insert(chosen.headersEnd, lines);
}
