import { CHAR_KINDS, CharKind, isLws } from './chars.ts';

/**
 * A text and its bytes, one a char: parsers walk over the bytes, which is three times as fast as over the chars of a string, and take what they
 * keep from the text.
 */
export interface HeadText {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** The same of a text alone. A char above U+00FF, which a byte string does not have, becomes a byte that is no delimiter. */
export function headText(text: string): HeadText {
  const bytes = Uint8Array.from({ length: text.length }, (_, i) => Math.min(text.charCodeAt(i), 0xff));
  return { text, bytes };
}

/** The bytes of an ASCII text, to compare others with. */
export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
}

/** Whether the bytes at `at` are these. A string's `startsWith` takes ten times as long. */
export function standsAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  if (at + wanted.length > bytes.length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

/** The same with letters in any case. `upper` holds no letter in lower case. */
export function standsInAnyCaseAt(bytes: Uint8Array, at: number, upper: Uint8Array): boolean {
  if (at + upper.length > bytes.length) return false;
  for (let i = 0; i < upper.length; i++) {
    const wanted = upper[i]!;
    const byte = bytes[at + i]!;
    if (byte !== wanted && (wanted < UPPER_A || byte !== (wanted | 0x20))) return false;
  }
  return true;
}

/** The char `A`, which no digit or mark of a SIP version comes behind. */
const UPPER_A = 0x41;

/** Offset of the first byte from `at` that is not white space, at most `limit`. */
export function skipLws(bytes: Uint8Array, at: number, limit: number): number {
  let i = at;
  while (i < limit && isLws(bytes[i]!)) i++;
  return i;
}

/** Offset behind the last byte before `end` that is not white space, at least `start`. */
export function trimLws(bytes: Uint8Array, start: number, end: number): number {
  let i = end;
  while (i > start && isLws(bytes[i - 1]!)) i--;
  return i;
}

/** Offset of the first byte from `at` that is white space, at most `limit`. */
export function skipWord(bytes: Uint8Array, at: number, limit: number): number {
  let i = at;
  while (i < limit && !isLws(bytes[i]!)) i++;
  return i;
}

/** Offset behind the run of bytes of these kinds at `at`. */
export function skipKind(bytes: Uint8Array, at: number, limit: number, kinds: number): number {
  const table = CHAR_KINDS; // read once: the compiler would ask for it, and what it is, at each byte
  let i = at;
  while (i < limit && (table[bytes[i]!]! & kinds) !== 0) i++;
  return i;
}

/** Offset behind the run of token chars at `at`. */
export function skipToken(bytes: Uint8Array, at: number, limit: number): number {
  return skipKind(bytes, at, limit, CharKind.token);
}

/** Offset behind the quoted string whose opening quote is at `at`, or -1 when it does not end before `limit`. */
export function skipQuoted(bytes: Uint8Array, at: number, limit: number): number {
  for (let i = at + 1; i < limit; i++) {
    const byte = bytes[i];
    if (byte === 0x22) return i + 1;
    if (byte === 0x5c) i++;
  }
  return -1;
}

/** Reads an unsigned decimal number that fills [start, end): -1 when it is none, `cap` when it is `cap` or more. */
export function readDecimal(bytes: Uint8Array, start: number, end: number, cap: number): number {
  if (start >= end) return -1;
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = Math.min(number * 10 + digit, cap);
  }
  return number;
}
