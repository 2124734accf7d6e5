import type { CacheValue } from './value.ts';

/** No answer, an error of the server, or a breaker that is open. Whether the operation was carried out is not known. */
export interface Down {
  readonly status: 'down';
  readonly reason: string;
  /** Set when the operation waits in the journal and is sent when the server answers again: do not repeat it. */
  readonly journaled?: true;
}

/** What a read came to. */
export type ReadOutcome =
  | { readonly status: 'hit'; readonly value: CacheValue }
  | { readonly status: 'miss' }
  | Down;

/** What a write came to. `exists`: in mode 1, and the first value stays. */
export type WriteOutcome =
  | { readonly status: 'stored' }
  | { readonly status: 'exists' }
  /** Sizes in bytes; a null limit is the server's own, smaller than 1 MB. */
  | { readonly status: 'too-large'; readonly size: number; readonly limit: number | null }
  | Down;

/** What a step of a counter came to: its new value, or why there is none. */
export type CountOutcome =
  | { readonly status: 'done'; readonly value: number | bigint }
  | { readonly status: 'missing' }
  | { readonly status: 'not-a-number' }
  | Down;

/** What a change of a lifetime came to. */
export type TouchOutcome = { readonly status: 'touched' } | { readonly status: 'missing' } | Down;

/** What a removal came to. */
export type RemoveOutcome = { readonly status: 'removed' } | { readonly status: 'missing' } | Down;
