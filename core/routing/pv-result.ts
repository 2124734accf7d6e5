import type { PvResult } from '../registry/services.ts';
import { shown } from '../registry/shown.ts';

/** A variable's value as formats and names see it: what is neither text nor number is shown as text, nothing as null. */
export function asResult(value: unknown): PvResult {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value;
  return value === null || value === undefined ? null : shown(value);
}
