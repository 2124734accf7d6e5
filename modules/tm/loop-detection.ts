import { createHash } from 'node:crypto';
import { Header, type SipRequest } from '../../core/index.ts';
import { Branch } from './branch.ts';
import type { Tm } from './tm-layer.ts';

/** Length of the second part, hex digits: 64 bits. */
const HASH_LENGTH = 16;
/** Between the unique part of a branch parameter and the one that tells loops. */
const SEPARATOR = '.';

/**
 * The second part of the branch parameters of a request that is forked (RFC 5393 4.2.1): the same when the request comes again with nothing
 * changed that decides where it goes. Method and topmost Via do not count. `self` names this proxy: what others put into their branches is
 * never taken for its own.
 */
export function loopPart(self: string, request: SipRequest): string {
  const { originalUri, callId, cseq, fromTag, toTag } = request;
  const hash = createHash('sha256').update(
    [self, originalUri, callId, cseq.number, fromTag, toTag].join('\n'),
    'latin1',
  );
  for (const name of [Header.route, Header.proxyRequire, Header.proxyAuthorization]) {
    for (let i = request.find(name); i >= 0; i = request.find(name, i)) {
      hash.update(`\n${name}:${request.value(i)}`, 'latin1');
    }
  }
  return SEPARATOR + hash.digest('hex').slice(0, HASH_LENGTH);
}

/**
 * Whether a Via of the request carries this part: it was forked here before with the same outcome (RFC 5393 4.2.2). Other elements' Vias need
 * not be well formed for that.
 */
export function hasLooped(request: SipRequest, part: string): boolean {
  for (let i = request.find(Header.via); i >= 0; i = request.find(Header.via, i)) {
    if (request.value(i).includes(part)) return true;
  }
  return false;
}

/** How often a request may come by with nothing changed: servers that send it back for the route to tell by its source are no loop. */
const MAX_PASSES = 3;

/**
 * Whether a request that goes to one place has been here too often with nothing changed that decides where it goes. No part of the branch tells: the Vias name
 * branches whose requests are still here, since in a loop none of them has an answer.
 */
export function goesInCircles(tm: Tm, request: SipRequest): boolean {
  if (!request.head.includes(tm.branches.prefix)) return false;
  const vias = request.vias();
  if (!vias.ok) return false;
  const part = loopPart('', request);
  let passes = 1;
  for (const { branch } of vias.value) {
    const known = branch === null ? null : tm.branches.find(branch);
    if (!(known instanceof Branch) || known.transaction.isReleased) continue;
    if (loopPart('', known.transaction.request) === part) passes += 1;
  }
  return passes > MAX_PASSES;
}
