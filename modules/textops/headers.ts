import type { SipMessage } from '../../core/index.ts';

/** Adds header lines at the end, or behind the first header of a name (at the end when there is none). */
export function appendLines(msg: SipMessage, lines: string, after: string | undefined): void {
  const header = after === undefined ? -1 : msg.findName(after);
  msg.edits.insert(header === -1 ? msg.headersEnd : msg.headerEnd(header), lines);
}

/** Adds header lines on top, or before the first header of a name (on top when there is none). */
export function insertLines(msg: SipMessage, lines: string, before: string | undefined): void {
  const header = before === undefined ? -1 : msg.findName(before);
  msg.edits.insert(header === -1 ? msg.headersStart : msg.headerStart(header), lines);
}

/** Removes every header of a name, compact or long. False when there is none. */
export function removeNamed(msg: SipMessage, name: string): boolean {
  let found = false;
  for (let i = msg.findName(name); i !== -1; i = msg.findName(name, i)) {
    msg.edits.remove(msg.headerStart(i), msg.headerEnd(i));
    found = true;
  }
  return found;
}

/** Removes every header whose name, as written, matches. False when none does. */
export function removeMatching(msg: SipMessage, pattern: RegExp): boolean {
  let found = false;
  for (let i = 0; i < msg.headerCount; i += 1) {
    if (!pattern.test(msg.name(i))) continue;
    msg.edits.remove(msg.headerStart(i), msg.headerEnd(i));
    found = true;
  }
  return found;
}
