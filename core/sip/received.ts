import type { Edit } from './edits.ts';
import { sameHost } from './host.ts';
import { NAME, PARAMS } from './params.ts';
import type { SipRequest } from './sip-request.ts';

/**
 * Marks the top Via with where the request came from, `received` and `rport` (RFC 3261 18.2.1, RFC 3581 4): adds the edit when one is due.
 * Idempotent.
 */
export function markReceived(msg: SipRequest): void {
  if (msg.receivedMarked) return;
  msg.receivedMarked = true;
  for (const { at, removed, text } of receivedEdits(msg)) msg.edits.replace(at, at + removed, text);
}

/**
 * Has replies sent to the source port, as if the top Via had an `rport` (RFC 3581 4, Kamailio's force_rport), and says so in the Via. Idempotent.
 */
export function forceRport(msg: SipRequest): void {
  if (msg.rportForced) return;
  const before = receivedEdits(msg);
  msg.rportForced = true;
  if (!msg.receivedMarked) return;
  for (const { at, removed, text } of receivedEdits(msg)) {
    if (!before.some((made) => made.at === at && made.text === text))
      msg.edits.replace(at, at + removed, text);
  }
}

/**
 * The edits of `markReceived`; none when the top Via is malformed. Values the peer put there itself are replaced: only we know where its
 * packet came from.
 */
export function receivedEdits(msg: SipRequest): readonly Edit[] {
  const found = msg.parsedTopVia();
  if (!found.ok) return [];
  const via = found.value;
  const { address, port } = msg.received;
  const adds = via.rport === null && msg.rportForced;
  if (via.received === null && via.rport === null && !adds && sameHost(via.host, address)) return [];
  const edits: Edit[] = [];
  if (via.params.length > 0) {
    const reader = PARAMS.start(msg.text.indexOf(';', via.start));
    while (reader.next(msg.bytes, via.end)) {
      const at = reader.nameStart;
      if (reader.is(msg.bytes, NAME.received))
        edits.push({ at, removed: reader.at - at, text: `received=${address}` });
      if (reader.is(msg.bytes, NAME.rport))
        edits.push({ at, removed: reader.at - at, text: `rport=${port}` });
    }
  }
  if (via.received === null) edits.push({ at: via.end, removed: 0, text: `;received=${address}` });
  if (adds) edits.push({ at: via.end, removed: 0, text: `;rport=${port}` });
  return edits;
}
