import { errors } from '../errors.ts';

const LONE_BYTE = 0xdc00;

/** Text for people from a byte string (one char a byte): UTF-8 where valid; bytes that are not become U+DC80..U+DCFF, so that `encodeText` gives the same bytes back. */
export function decodeText(bytes: string): string {
  let i = asciiLength(bytes);
  if (i === bytes.length) return bytes;
  let text = bytes.slice(0, i);
  while (i < bytes.length) {
    const lead = bytes.charCodeAt(i) & 0xff;
    const length = sequenceLength(bytes, i, lead);
    if (length === 1) {
      text += String.fromCharCode(lead < 0x80 ? lead : LONE_BYTE | lead);
    } else {
      let point = lead & (0x7f >> length);
      for (let k = 1; k < length; k++) point = (point << 6) | (bytes.charCodeAt(i + k) & 0x3f);
      text += String.fromCodePoint(point);
    }
    i += length;
  }
  return text;
}

/** The byte string (one char a byte) of a text: UTF-8, and U+DC80..U+DCFF back to single bytes. ASCII comes back as is. @throws ERR_TEXT_TYPE. */
export function encodeText(text: string): string {
  if (typeof text !== 'string') throw errors.ERR_TEXT_TYPE('what goes into a message', typeof text);
  let i = asciiLength(text);
  if (i === text.length) return text;
  let bytes = text.slice(0, i);
  while (i < text.length) {
    const point = text.codePointAt(i) ?? 0;
    i += point > 0xffff ? 2 : 1;
    if (point >= 0xdc80 && point <= 0xdcff) bytes += String.fromCharCode(point & 0xff);
    else bytes += utf8(point >= 0xd800 && point <= 0xdfff ? 0xfffd : point);
  }
  return bytes;
}

/**
 * Text safe to insert into a head: a byte string as it is. A text with a char above U+00FF is no byte string; written out, such a char
 * would lose its high bits and could become a line end, so the text is taken as one for people and encoded.
 */
export function asByteString(text: string): string {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return encodeText(text);
  return text;
}

function asciiLength(text: string): number {
  let i = 0;
  while (i < text.length && text.charCodeAt(i) < 0x80) i++;
  return i;
}

/** Bytes of the well-formed UTF-8 sequence at `at` (Unicode table 3-7), or 1 for a single byte, valid or not. */
function sequenceLength(bytes: string, at: number, lead: number): number {
  const length = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
  for (let k = 1; k < length; k++) {
    const next = bytes.charCodeAt(at + k);
    if (!(next >= 0x80 && next <= 0xbf)) return 1;
  }
  const second = bytes.charCodeAt(at + 1);
  if (lead === 0xe0 && second < 0xa0) return 1;
  if (lead === 0xed && second > 0x9f) return 1;
  if (lead === 0xf0 && second < 0x90) return 1;
  if (lead === 0xf4 && second > 0x8f) return 1;
  return length;
}

function utf8(point: number): string {
  if (point < 0x80) return String.fromCharCode(point);
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
  if (point < 0x10000) {
    return String.fromCharCode(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
  }
  return String.fromCharCode(
    0xf0 | (point >> 18),
    0x80 | ((point >> 12) & 0x3f),
    0x80 | ((point >> 6) & 0x3f),
    0x80 | (point & 0x3f),
  );
}
