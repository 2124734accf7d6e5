import { decodeText, encodeText, errors } from '../../core/index.ts';

/** What a key holds. A number above the safe range comes as a `bigint`: counters have 64 bits. */
export type CacheValue = string | number | bigint;

/** Flags of a string (Kamailio's module, VAR_VAL_STR); an integer has none. */
const STRING_FLAG = 1;

/** A value as the server holds it; `bytes` has one char a byte. */
export interface WireValue {
  readonly flags: number;
  readonly bytes: string;
}

/** Largest item a server takes unless told otherwise, in bytes (memcached -I, 1m). */
const MAX_ITEM_BYTES = 1_048_576;

/** What an item takes besides key, value and flags: header 48, CAS number 8, a NUL and CR LF (memcached 1.6, measured). */
const ITEM_OVERHEAD_BYTES = 59;

/** A server keeps flags other than 0 in four bytes. */
const FLAGS_BYTES = 4;

/**
 * Encodes a value for the wire: an integer as decimal text with flags 0, a string as its bytes with flags 1.
 *
 * @throws ERR_MEMCACHED_VALUE when it is neither.
 */
export function encodeValue(value: CacheValue, key: string): WireValue {
  if (typeof value === 'string') return { flags: STRING_FLAG, bytes: encodeText(value) };
  if (typeof value === 'bigint') return { flags: 0, bytes: value.toString() };
  if (Number.isSafeInteger(value)) return { flags: 0, bytes: value.toString() };
  const found = typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value;
  throw errors.ERR_MEMCACHED_VALUE('value', key, 'a string, a safe integer or a bigint', found);
}

/**
 * Reads a value from the wire. Flags bit 0 set: a string; otherwise integer text is a number. Other text without the flag is a string.
 * Integers are trimmed, since `decr` pads with spaces; strings are not.
 */
export function decodeValue({ flags, bytes }: WireValue, stringify: boolean): CacheValue {
  if ((flags & STRING_FLAG) !== 0) return decodeText(bytes);
  const digits = bytes.trim();
  if (!/^-?\d+$/.test(digits)) return decodeText(bytes);
  return stringify ? digits : decodeInteger(digits);
}

/** Decimal digits as a number, or a bigint where a number would not be exact. */
export function decodeInteger(digits: string): number | bigint {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
}

/** How large a value may be with this key, in bytes, so that the server's item stays within 1 MB. */
export function valueLimit(key: string, flags: number): number {
  return MAX_ITEM_BYTES - ITEM_OVERHEAD_BYTES - key.length - (flags === 0 ? 0 : FLAGS_BYTES);
}

/** Largest number a counter can be moved by in one step: 64 bits, unsigned. */
const MAX_DELTA = 2n ** 64n - 1n;

/**
 * Decimal digits of a step of a counter.
 *
 * @param variable names the variable or function in the error message.
 * @throws ERR_MEMCACHED_VALUE when it is no integer from 0 to 2^64-1.
 */
export function encodeDelta(delta: number | bigint, variable: string, key: string): string {
  if (typeof delta === 'number' && Number.isSafeInteger(delta) && delta >= 0) return delta.toString();
  if (typeof delta === 'bigint' && delta >= 0n && delta <= MAX_DELTA) return delta.toString();
  const found = typeof delta === 'string' ? JSON.stringify(delta) : String(delta);
  throw errors.ERR_MEMCACHED_VALUE(variable, key, 'a non-negative integer', found);
}
