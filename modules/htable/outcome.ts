// The same types as those of the module memcached: what works with the one works with the other.

/** What a key holds. */
export type TableValue = string | number | bigint;

/** It was not done, and nothing was changed: the table is full, or the caller's signal was aborted. */
export interface Down {
  readonly status: 'down';
  readonly reason: string;
}

/** What a read came to. */
export type ReadOutcome =
  | { readonly status: 'hit'; readonly value: TableValue }
  | { readonly status: 'miss' }
  | Down;

/** What a write came to. Sizes in bytes. */
export type WriteOutcome =
  | { readonly status: 'stored' }
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
