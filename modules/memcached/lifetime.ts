import { errors } from '../../core/index.ts';

/** Longest lifetime that memcached takes as seconds from now, 30 days; above it is a Unix time (protocol.txt, "Expiration times"). */
const MAX_RELATIVE_LIFETIME_S = 2_592_000;

/** Memcached keeps the lifetime in 32 bits, signed. */
export const MAX_LIFETIME_S = 2_147_483_647;

/**
 * Returns `lifetime` when memcached can hold a value that long.
 *
 * @param what names the value in the error message.
 * @throws ERR_MEMCACHED_EXPIRE when it is no such number, or a Unix time that has passed: memcached would drop the value at once.
 */
export function checkedLifetime(lifetime: number, what: string): number {
  if (!Number.isInteger(lifetime) || lifetime < 0 || lifetime > MAX_LIFETIME_S) {
    const expected = `seconds from 0 (never) to ${MAX_RELATIVE_LIFETIME_S}, or a Unix time up to ${MAX_LIFETIME_S}`;
    throw errors.ERR_MEMCACHED_EXPIRE(what, expected, shownLifetime(lifetime));
  }
  if (hasPassed(lifetime)) {
    throw errors.ERR_MEMCACHED_EXPIRE(
      what,
      `a Unix time in the future, as every number above ${MAX_RELATIVE_LIFETIME_S} is one`,
      shownLifetime(lifetime),
    );
  }
  return lifetime;
}

/** Whether a lifetime is a Unix time that has passed. */
export function hasPassed(lifetime: number): boolean {
  return lifetime > MAX_RELATIVE_LIFETIME_S && lifetime <= Date.now() / 1000;
}

/** Whatever a route passed, for a message. */
function shownLifetime(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
