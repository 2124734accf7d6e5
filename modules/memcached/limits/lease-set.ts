import { createHash } from 'node:crypto';

/** Begins every value of this form. */
const MAGIC = 'L1';
/** Random text that tells one creation of a value from the next. */
export const GENERATION_CHARS = 8;
/** A time of the Unix clock in ms, base 36, padded: good until the year 2059. */
const TIME_CHARS = 8;
/** 120 bits of a digest, base64url: no one finds two call ids that count as one. */
const ID_CHARS = 20;
const LEASE_CHARS = ID_CHARS + TIME_CHARS;
const HEADER_CHARS = MAGIC.length + GENERATION_CHARS + TIME_CHARS;

/** Leases that one limit can have, those above `max` that were put back included: about 560 kB. */
export const MAX_STORED_LEASES = 20_000;

/** The leases of one limit, as the store holds them in one value. */
export interface LeaseSet {
  /** Drawn when the value was created: another one tells that the store has lost what it held. */
  readonly generation: string;
  /** Until when the value itself is kept, Unix ms: no lease that it ever held lasts longer. */
  untilMs: number;
  /** When each lease ends, Unix ms, by its id. */
  readonly leases: Map<string, number>;
}

/** The id of a lease as it is stored: short, and of one length, whatever the caller's own is. */
export function leaseId(callId: string): string {
  return createHash('sha256').update(callId).digest('base64url').slice(0, ID_CHARS);
}

/** Prints a set as the value that is stored: a header, then 28 chars for each lease. */
export function printLeases({ generation, untilMs, leases }: LeaseSet): string {
  let text = MAGIC + generation + printTime(untilMs);
  for (const [id, endMs] of leases) text += id + printTime(endMs);
  return text;
}

/** Reads a value; null when it is not one of these. */
export function parseLeases(text: string): LeaseSet | null {
  if (!text.startsWith(MAGIC) || text.length < HEADER_CHARS) return null;
  if ((text.length - HEADER_CHARS) % LEASE_CHARS !== 0) return null;
  const untilMs = parseTime(text, HEADER_CHARS - TIME_CHARS);
  const leases = new Map<string, number>();
  for (let at = HEADER_CHARS; at < text.length; at += LEASE_CHARS) {
    const endMs = parseTime(text, at + ID_CHARS);
    if (Number.isNaN(endMs)) return null;
    leases.set(text.slice(at, at + ID_CHARS), endMs);
  }
  const generation = text.slice(MAGIC.length, MAGIC.length + GENERATION_CHARS);
  return Number.isNaN(untilMs) ? null : { generation, untilMs, leases };
}

function printTime(ms: number): string {
  return Math.round(ms).toString(36).padStart(TIME_CHARS, '0');
}

function parseTime(text: string, at: number): number {
  return Number.parseInt(text.slice(at, at + TIME_CHARS), 36);
}
