import { addInOrder, applyEdits, type Edit, type Edits } from './edits.ts';
import { Header, headerIdByName, type HeaderId } from './header-names.ts';
import { skipLws } from './head-text.ts';
import type { ListenPoint } from './hop.ts';
import { latin1Bytes } from './latin1.ts';
import type { SipMessage } from './sip-message.ts';
import type { SipRequest } from './sip-request.ts';
import type { SipResponse } from './sip-response.ts';
import { lineSafeUri } from './line-safe-uri.ts';

export { markReceived } from './received.ts';

export interface RequestPrint {
  readonly uri: string;
  /** The request's edits, or a branch's fork of them. */
  readonly edits: Edits;
  /** Value of the Via to put on top, without name and line end; null for none. */
  readonly via: string | null;
  /** The socket it leaves by. */
  readonly out: ListenPoint;
  /** Max-Forwards to write (replaces or adds the header); null leaves it. */
  readonly maxForwards: number | null;
}

/** Prints a request to forward: received bytes with the edits applied, one buffer. Untouched bytes are exact. */
export function printRequest(msg: SipRequest, { uri, edits, via, out, maxForwards }: RequestPrint): Buffer {
  const changes: Edit[] = [];
  if (uri !== msg.originalUri) {
    addInOrder(changes, { at: msg.uriStart, removed: msg.uriEnd - msg.uriStart, text: lineSafeUri(uri) });
  }
  if (via !== null) addInOrder(changes, { at: msg.headersStart, removed: 0, text: `Via: ${via}\r\n` });
  if (maxForwards !== null)
    setValue(msg, edits, changes, {
      id: Header.maxForwards,
      name: 'Max-Forwards',
      value: String(maxForwards),
    });
  return print(msg, edits, changes, out);
}

/** Prints a response to forward: the topmost Via value removed, `msg.edits` applied (RFC 3261 16.7 steps 3 and 9). */
export function printResponse(msg: SipResponse, out: ListenPoint): Buffer {
  const { start, end } = topViaRange(msg);
  return print(msg, msg.edits, [{ at: start, removed: end - start, text: '' }], out);
}

/** What goes with the top Via value: its header line, or, in a list, the value with its comma. */
function topViaRange(msg: SipMessage): { readonly start: number; readonly end: number } {
  const i = msg.find(Header.via);
  const limit = msg.valueEnd(i);
  const comma = skipLws(msg.bytes, msg.topVia.end, limit);
  if (comma === limit) return { start: msg.headerStart(i), end: msg.headerEnd(i) };
  return { start: msg.topVia.start, end: skipLws(msg.bytes, comma + 1, limit) };
}

function print(msg: SipMessage, edits: Edits, changes: Edit[], out: ListenPoint): Buffer {
  const { newBody, newContentType } = msg;
  if (newContentType !== null) {
    setValue(msg, edits, changes, { id: Header.contentType, name: 'Content-Type', value: newContentType });
  }
  const bodyLength = newBody === null ? msg.bodyLength : newBody.length;
  // A stream has no other way to tell where the body ends (RFC 3261 18.3).
  if (newBody !== null || (out.protocol !== 'udp' && msg.find(Header.contentLength) < 0)) {
    const value = String(bodyLength);
    setValue(msg, edits, changes, { id: Header.contentLength, name: 'Content-Length', value });
  }
  // Of those at one offset, the print's own come first: a Via stands above a Record-Route.
  const { list } = edits;
  for (let i = 0; i < list.length; i++) addInOrder(changes, list[i]!);
  const withBody = newBody === null && msg.hasTextBody;
  const range = { start: 0, end: withBody ? msg.bodyEnd : msg.bodyStart };
  const text = applyEdits(msg.text, range, changes, out);
  if (withBody) return latin1Bytes(text, 0);
  const bytes = latin1Bytes(text, bodyLength);
  if (newBody === null) msg.copyBody(bytes, text.length);
  else newBody.copy(bytes, text.length);
  return bytes;
}

/** Writes the value of a header, in each of its lines that `edits` leaves; in a new line when none is left and routes have put in none. */
function setValue(
  msg: SipMessage,
  edits: Edits,
  changes: Edit[],
  { id, name, value }: { readonly id: HeaderId; readonly name: string; readonly value: string },
): void {
  let isThere = false;
  for (let i = msg.find(id); i >= 0; i = msg.find(id, i)) {
    const at = msg.valueStart(i);
    if (edits.size > 0 && edits.removes(msg.headerStart(i))) continue;
    isThere = true;
    // A value that routes have rewritten stays theirs.
    if (edits.size > 0 && edits.removes(at)) continue;
    addInOrder(changes, { at, removed: msg.valueEnd(i) - at, text: value });
  }
  if (!isThere && !putsIn(edits, id))
    addInOrder(changes, { at: msg.headersEnd, removed: 0, text: `${name}: ${value}\r\n` });
}

/** Whether a text that routes put in holds a line of this header: it stays theirs. */
function putsIn(edits: Edits, id: HeaderId): boolean {
  return edits.list.some(
    ({ text }) =>
      typeof text === 'string' && text.split('\n').some((line) => headerIdByName(nameOf(line)) === id),
  );
}

/** What stands in front of a line's colon, in lower case. */
function nameOf(line: string): string {
  return line
    .slice(0, Math.max(0, line.indexOf(':')))
    .trimEnd()
    .toLowerCase();
}
