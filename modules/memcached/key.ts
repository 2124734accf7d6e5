import { createHash } from 'node:crypto';
import { encodeText, errors } from '../../core/index.ts';

/** Longest key a server takes as it is, plus one (memcached protocol.txt, "Keys": 250; Kamailio hashes from 250 on). */
const HASHED_KEY_BYTES = 250;

/** Stands in front of the digest of a key that cannot go on the wire as it is. */
export const ENCODED_KEY_PREFIX = 'kamaiki:sha256:';

/** Highest byte that would end or split a key: space, and below it the control characters. */
const SPACE = 0x20;
const DELETE = 0x7f;

/** Longest `prefix`, bytes: there has to be room behind it. */
export const MAX_PREFIX_BYTES = 100;

/** What is wrong with the text of the parameter `prefix`, or null. */
export function prefixProblem(text: string): string | null {
  const bytes = encodeText(text);
  if (bytes.length > MAX_PREFIX_BYTES) return `it has more than ${MAX_PREFIX_BYTES} bytes`;
  return text === '' || isPlain(bytes) ? null : 'it has a space or a control character';
}

/**
 * Turns the text of a key into what goes on the wire, one char a byte. `prefix`, bytes as well, stands before all of it as it is:
 *
 * - 250 bytes or more, the prefix included: MD5 of the key without outer whitespace, 32 lower-case hex digits, as Kamailio does;
 * - empty, or with a space, a control character or DEL: `kamaiki:sha256:` and the SHA-256 of the key in hex. A key that itself begins
 *   with that prefix is encoded as well, so that no plain key equals an encoded one. (A digest, since 249 arbitrary bytes have
 *   no one-to-one form of fewer than 250 printable ones.)
 * - any other: its bytes as they are.
 *
 * @throws ERR_MEMCACHED_KEY when `text` is no string.
 */
export function wireKey(text: string, prefix = ''): string {
  if (typeof text !== 'string') {
    throw errors.ERR_MEMCACHED_KEY(
      'memcached',
      `a key is a string, found ${text === null ? 'null' : typeof text}`,
    );
  }
  const bytes = encodeText(text);
  if (prefix.length + bytes.length >= HASHED_KEY_BYTES) return prefix + digest('md5', trimmed(bytes));
  if (isPlain(bytes) && !bytes.startsWith(ENCODED_KEY_PREFIX)) return prefix + bytes;
  return prefix + ENCODED_KEY_PREFIX + digest('sha256', bytes);
}

function isPlain(bytes: string): boolean {
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes.charCodeAt(i);
    if (byte <= SPACE || byte === DELETE) return false;
  }
  return bytes.length > 0;
}

/** Without the whitespace that Kamailio's `trim` takes off: space, tab, CR, LF. */
function trimmed(bytes: string): string {
  let start = 0;
  let end = bytes.length;
  while (start < end && isBlank(bytes.charCodeAt(start))) start++;
  while (end > start && isBlank(bytes.charCodeAt(end - 1))) end--;
  return bytes.slice(start, end);
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === 0x09 || byte === 0x0d || byte === 0x0a;
}

function digest(algorithm: 'md5' | 'sha256', bytes: string): string {
  return createHash(algorithm).update(bytes, 'latin1').digest('hex');
}
