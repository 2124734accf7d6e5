const INT32_MAX = 2_147_483_647;

/** A signed number as C's `strtol` reads it, cut to 32 bits as memcached does with lifetimes; null when it is none. */
export function lifetimeArgument(token: string): number | null {
  if (!/^[+-]?\d+$/.test(token)) return null;
  const value = BigInt(token.replace('+', ''));
  return value === BigInt.asIntN(64, value) ? Number(BigInt.asIntN(32, value)) : null;
}

/** An unsigned number, cut to 32 bits as memcached does with flags; null when it is none. */
export function flagsArgument(token: string): number | null {
  const value = unsigned64(token);
  return value === null ? null : Number(BigInt.asUintN(32, value));
}

/** A length in bytes; null when it is none, or too large to be one. */
export function lengthArgument(token: string): number | null {
  const value = unsigned64(token);
  return value === null || value > BigInt(INT32_MAX - 2) ? null : Number(value);
}

/** An unsigned number of 64 bits; null when it is none. */
export function unsigned64(token: string): bigint | null {
  const digits = /^\+?(\d+)$/.exec(token)?.[1];
  if (digits === undefined) return null;
  const value = BigInt(digits);
  return value === BigInt.asUintN(64, value) ? value : null;
}

/** The number that a value begins with, as C's `strtoull` finds it: blanks before it, and the end or a blank after it. */
export function countIn(value: string): bigint | null {
  const digits = /^[ \t\n\v\f\r]*(\+?\d+)(?:[ \t\n\v\f\r\0]|$)/.exec(value)?.[1];
  return digits === undefined ? null : unsigned64(digits);
}
