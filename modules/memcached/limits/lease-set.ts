import { createHash } from 'node:crypto';
import { MAX_SPAN_S } from './options.ts';

/** Begins every value of this form. */
const MAGIC = 'L2';
/** Random text that tells one creation of a value from the next. */
export const GENERATION_CHARS = 8;
/** A time of the Unix clock in ms, base 36, padded: good until the year 2059. */
const TIME_CHARS = 8;
/** 120 bits of a digest, base64url: no one finds two call ids that count as one. */
const ID_CHARS = 20;
/** What tells the forks of one call apart. */
export const FORK_CHARS = 4;
const ENTRY_CHARS = ID_CHARS + FORK_CHARS + TIME_CHARS;
const HEADER_CHARS = MAGIC.length + GENERATION_CHARS + TIME_CHARS;

/** The fork of a lease that is taken for a call as a whole. No random token is like it. */
export const WHOLE_CALL = '-'.repeat(FORK_CHARS);
/** Forks of one call that are told apart; further ones count with the call, and leave it with the last of these. */
export const MAX_FORKS = 8;
/** Leases that one limit can have, each fork for one, those above `max` that were put back included: about 640 kB. */
export const MAX_STORED_LEASES = 20_000;

/** Latest end of a lease, ms from now, on a clock that goes a minute after that of the proxy which granted it. */
export const LATEST_END_MS = MAX_SPAN_S * 1000 + 60_000;

/** A lease, as the store holds it. */
interface Lease {
  /** Unix time, ms. */
  endMs: number;
  /** The forks of the call that hold it, at least one. */
  readonly forks: string[];
}

/** The leases of one limit, as the store holds them in one value. */
export interface LeaseSet {
  /** Drawn when the value was created: another one tells that the store has lost what it held. */
  readonly generation: string;
  /** Until when the value itself is kept, Unix ms: no lease that it ever held lasts longer. */
  untilMs: number;
  /** Leases by their id, and how many forks they have together. Changed by the functions here only. */
  readonly leases: Map<string, Lease>;
  entries: number;
}

/** A set without leases. */
export function emptyLeases(generation: string, untilMs: number): LeaseSet {
  return { generation, untilMs, leases: new Map(), entries: 0 };
}

/** The id of a lease as it is stored: short, and of one length, whatever the caller's own is. */
export function leaseId(callId: string): string {
  return createHash('sha256').update(callId).digest('base64url').slice(0, ID_CHARS);
}

/** Gives a lease more time, for one of its forks; makes what is not there. Whether anything has changed. */
export function extendLease(set: LeaseSet, id: string, fork: string, endMs: number): boolean {
  const lease = set.leases.get(id);
  if (lease === undefined) {
    if (set.entries >= MAX_STORED_LEASES) return false;
    set.leases.set(id, { endMs, forks: [fork] });
    set.entries++;
  } else {
    const isNew = !lease.forks.includes(fork);
    const hasRoom = lease.forks.length < MAX_FORKS && set.entries < MAX_STORED_LEASES;
    if (isNew && hasRoom) {
      lease.forks.push(fork);
      set.entries++;
    } else if (lease.endMs >= endMs) return false;
    lease.endMs = Math.max(lease.endMs, endMs);
  }
  set.untilMs = Math.max(set.untilMs, endMs);
  return true;
}

/** Gives a lease that is there more time. Whether that has changed it. */
export function lengthenLease(set: LeaseSet, id: string, endMs: number): boolean {
  const lease = set.leases.get(id);
  if (lease === undefined || lease.endMs >= endMs) return false;
  lease.endMs = endMs;
  set.untilMs = Math.max(set.untilMs, endMs);
  return true;
}

/** Has no lease end later than `latestMs`. Whether one would have. */
export function boundLeases(set: LeaseSet, latestMs: number): boolean {
  if (set.untilMs <= latestMs) return false;
  for (const lease of set.leases.values()) lease.endMs = Math.min(lease.endMs, latestMs);
  set.untilMs = latestMs;
  return true;
}

/** Takes a lease away, of all its forks. Whether it was there. */
export function dropLease(set: LeaseSet, id: string): boolean {
  set.entries -= set.leases.get(id)?.forks.length ?? 0;
  return set.leases.delete(id);
}

/** Takes a fork off a lease, which ends with its last one. Whether it was there. */
export function dropFork(set: LeaseSet, id: string, fork: string): boolean {
  const forks = set.leases.get(id)?.forks ?? [];
  const at = forks.indexOf(fork);
  if (at === -1) return false;
  if (forks.length === 1) return dropLease(set, id);
  forks.splice(at, 1);
  set.entries--;
  return true;
}

/** Prints a set as the value that is stored: a header, then 32 chars for each fork of a lease. */
export function printLeases({ generation, untilMs, leases }: LeaseSet): string {
  let text = MAGIC + generation + printTime(untilMs);
  for (const [id, { endMs, forks }] of leases) {
    const end = printTime(endMs);
    for (const fork of forks) text += id + fork + end;
  }
  return text;
}

/** Reads a value; null when it is not one of these. */
export function parseLeases(text: string): LeaseSet | null {
  if (!text.startsWith(MAGIC) || text.length < HEADER_CHARS) return null;
  if ((text.length - HEADER_CHARS) % ENTRY_CHARS !== 0) return null;
  const untilMs = parseTime(text, HEADER_CHARS - TIME_CHARS);
  const leases = new Map<string, Lease>();
  for (let at = HEADER_CHARS; at < text.length; at += ENTRY_CHARS) {
    const forkAt = at + ID_CHARS;
    const endMs = parseTime(text, forkAt + FORK_CHARS);
    if (Number.isNaN(endMs)) return null;
    const fork = text.slice(forkAt, forkAt + FORK_CHARS);
    const id = text.slice(at, forkAt);
    const lease = leases.get(id);
    if (lease === undefined) leases.set(id, { endMs, forks: [fork] });
    else lease.forks.push(fork);
  }
  const generation = text.slice(MAGIC.length, MAGIC.length + GENERATION_CHARS);
  const entries = (text.length - HEADER_CHARS) / ENTRY_CHARS;
  return Number.isNaN(untilMs) ? null : { generation, untilMs, leases, entries };
}

function printTime(ms: number): string {
  return Math.round(ms).toString(36).padStart(TIME_CHARS, '0');
}

function parseTime(text: string, at: number): number {
  return Number.parseInt(text.slice(at, at + TIME_CHARS), 36);
}
