import type { ListenPoint } from './hop.ts';
import { asByteString } from './text.ts';

/** Text to insert; a function when it depends on the socket that the message will leave by (Record-Route). */
export type EditText = string | ((out: ListenPoint) => string);

/** One change: `removed` chars from offset `at` go, `text`, a byte string, comes in their place. */
export interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly text: EditText;
}

/**
 * Changes to a received message's head: ranges removed and text inserted, by offset. The head itself never changes. Texts are byte strings,
 * one char a byte; a text with a char above U+00FF is written in UTF-8.
 */
export class Edits {
  #list: Edit[] | null = null;

  /** Number of edits. */
  get size(): number {
    return this.#list === null ? 0 : this.#list.length;
  }
  /** The edits by offset, those at one offset in the order in which they were made, but inserts first. */
  get list(): readonly Edit[] {
    return this.#list ?? NO_EDITS;
  }
  remove(start: number, end: number): void {
    this.add(start, end - start, '');
  }
  /** Of several inserts at one offset, the first inserted comes first. */
  insert(at: number, text: EditText): void {
    this.add(at, 0, text);
  }
  replace(start: number, end: number, text: EditText): void {
    this.add(start, end - start, text);
  }
  /** Puts another text in the place of one that was put in before. */
  reword(before: EditText, text: EditText): void {
    const list = this.#list ?? [];
    const i = list.findIndex((edit) => edit.text === before);
    const edit = list[i];
    if (edit !== undefined) list[i] = { at: edit.at, removed: edit.removed, text };
  }
  /** Whether the char at `at` is among those removed or replaced. */
  removes(at: number): boolean {
    return this.list.some((edit) => edit.at <= at && at < edit.at + edit.removed);
  }
  /** A copy to which changes can be added without touching this one (one per branch). Cheap when empty. */
  fork(): Edits {
    const copy = new Edits();
    if (this.#list !== null) copy.#list = [...this.#list];
    return copy;
  }
  /** Gives back the memory that is kept for more edits. */
  compact(): void {
    if (this.#list !== null) this.#list = this.#list.slice();
  }
  private add(at: number, removed: number, text: EditText): void {
    const edit: Edit = { at, removed, text: typeof text === 'string' ? asByteString(text) : text };
    this.#list ??= [];
    addInOrder(this.#list, edit);
  }
}

/**
 * Puts an edit behind those at its offset and before; lists are short, and what comes last mostly goes last. An insert stands in front of what takes the place of
 * the chars behind it.
 */
export function addInOrder(list: Edit[], edit: Edit): void {
  let i = list.length;
  while (i > 0 && standsBehind(list[i - 1]!, edit)) i--;
  if (i === list.length) list.push(edit);
  else list.splice(i, 0, edit);
}

function standsBehind(known: Edit, { at, removed }: Edit): boolean {
  return known.at > at || (known.at === at && removed === 0 && known.removed > 0);
}

const NO_EDITS: readonly Edit[] = Object.freeze([]);

/**
 * The text of [start, end) of `head` with the edits in that range applied, inserts at `end` included; `edits` are in order. Where removed ranges overlap, all of it
 * goes. What was put inside a removed range goes with it; inserts at its ends stay, since they belong to what stands around it.
 */
export function applyEdits(
  head: string,
  range: { readonly start: number; readonly end: number },
  edits: readonly Edit[],
  out: ListenPoint,
): string {
  if (edits.length === 0) return head.slice(range.start, range.end);
  let text = '';
  let at = range.start;
  for (const edit of withoutCovered(edits)) {
    if (edit.at < range.start || edit.at > range.end) continue;
    if (edit.at > at) {
      text += head.slice(at, edit.at);
      at = edit.at;
    }
    text += typeof edit.text === 'string' ? edit.text : asByteString(edit.text(out));
    at = Math.max(at, Math.min(edit.at + edit.removed, range.end));
  }
  return text + head.slice(at, range.end);
}

/** Leaves out edits inside a range that another one removes. Of two that remove the same range, the later stays. `edits` are in order. */
function withoutCovered(edits: readonly Edit[]): readonly Edit[] {
  if (edits.length === 1) return edits;
  let isCovered: boolean[] | null = null;
  let coveredTo = -1;
  for (let i = 0; i < edits.length; ) {
    const { at } = edits[i]!;
    const longest = longestFrom(edits, i);
    let end = i;
    for (; end < edits.length && edits[end]!.at === at; end++) {
      const { removed } = edits[end]!;
      const stays = removed === 0 ? at >= coveredTo : end === longest && at + removed > coveredTo;
      if (!stays) (isCovered ??= [])[end] = true;
    }
    coveredTo = Math.max(coveredTo, at + edits[longest]!.removed);
    i = end;
  }
  return isCovered === null ? edits : edits.filter((_, i) => isCovered[i] !== true);
}

/** Index of the edit that removes most among those at the offset of edit `first`. */
function longestFrom(edits: readonly Edit[], first: number): number {
  let longest = first;
  for (let i = first + 1; i < edits.length && edits[i]!.at === edits[first]!.at; i++) {
    if (edits[i]!.removed >= edits[longest]!.removed) longest = i;
  }
  return longest;
}
