import { errors } from '../../core/index.ts';
import { NEVER } from './table.ts';

/** Longest lifetime that is seconds from now, 30 days; above it is a Unix time, as the module memcached has it. */
const MAX_RELATIVE_S = 2_592_000;
/** Largest Unix time. */
const MAX_LIFETIME_S = 2_147_483_647;

/**
 * When a lifetime ends, ms of the clock that shows `nowMs`; 0 seconds: never.
 *
 * @throws ERR_HTABLE_VALUE when it is no such number, or a Unix time that has passed.
 */
export function endOfLifetime(caller: string, expire: number, nowMs: number): number {
  if (!Number.isInteger(expire) || expire < 0 || expire > MAX_LIFETIME_S) {
    const expected = `seconds from 0 (never) to ${MAX_RELATIVE_S}, or a Unix time up to ${MAX_LIFETIME_S}`;
    throw errors.ERR_HTABLE_VALUE(caller, 'the lifetime', expected, String(expire));
  }
  if (expire === 0) return NEVER;
  const leftMs = expire > MAX_RELATIVE_S ? expire * 1000 - Date.now() : expire * 1000;
  if (leftMs > 0) return nowMs + leftMs;
  const expected = `a Unix time in the future, as every number above ${MAX_RELATIVE_S} is one`;
  throw errors.ERR_HTABLE_VALUE(caller, 'the lifetime', expected, String(expire));
}
