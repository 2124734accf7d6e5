import { decodeText, encodeText, errors } from '../../core/index.ts';

/** What a key holds. An integer above the safe range comes as a `bigint`, one of more than 64 bits as a string: counters have 64. */
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

/** The integers that 64 bits hold, with a sign or without. */
const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 64n - 1n;

/** Longest text of such an integer: 20 digits, or a minus and 19. */
const MAX_INTEGER_CHARS = 20;

/**
 * Encodes a value for the wire: an integer as decimal text with flags 0, a string as its bytes with flags 1. An integer of more than 64 bits is
 * no counter to the server, and goes as a string.
 *
 * @throws ERR_MEMCACHED_VALUE when it is neither.
 */
export function encodeValue(value: CacheValue, key: string): WireValue {
  if (typeof value === 'string') return { flags: STRING_FLAG, bytes: encodeText(value) };
  if (typeof value === 'bigint') {
    return { flags: isInteger64(value) ? 0 : STRING_FLAG, bytes: value.toString() };
  }
  if (Number.isSafeInteger(value)) return { flags: 0, bytes: value.toString() };
  const found = typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value;
  throw errors.ERR_MEMCACHED_VALUE('value', key, 'a string, a safe integer or a bigint', found);
}

/**
 * Reads a value from the wire. Flags bit 0 set: a string; otherwise text of an integer of 64 bits is a number. Other text without the flag is a
 * string. Integers are trimmed, since `decr` pads with spaces; strings are not.
 */
export function decodeValue({ flags, bytes }: WireValue, stringify: boolean): CacheValue {
  if ((flags & STRING_FLAG) !== 0) return decodeText(bytes);
  const digits = bytes.trim();
  // Their length first: a megabyte of digits would hold up all calls while it is made a number.
  if (digits.length > MAX_INTEGER_CHARS || !/^-?\d+$/.test(digits)) return decodeText(bytes);
  const value = decodeInteger(digits);
  if (typeof value === 'bigint' && !isInteger64(value)) return decodeText(bytes);
  return stringify ? digits : value;
}

function isInteger64(value: bigint): boolean {
  return value >= MIN_INTEGER && value <= MAX_INTEGER;
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

/**
 * Decimal digits of a step of a counter.
 *
 * @param variable names the variable or function in the error message.
 * @throws ERR_MEMCACHED_VALUE when it is no integer from 0 to 2^64-1.
 */
export function encodeDelta(delta: number | bigint, variable: string, key: string): string {
  if (typeof delta === 'number' && Number.isSafeInteger(delta) && delta >= 0) return delta.toString();
  if (typeof delta === 'bigint' && delta >= 0n && delta <= MAX_INTEGER) return delta.toString();
  const found = typeof delta === 'string' ? JSON.stringify(delta) : String(delta);
  throw errors.ERR_MEMCACHED_VALUE(variable, key, 'a non-negative integer', found);
}
