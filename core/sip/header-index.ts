import type { HeaderId } from './header-names.ts';

/**
 * Where the headers of a message stand, two numbers for each: its `HeaderId` and the offset of its line, then the offsets of its value and of the
 * value's end. An index lives as long as its message; offsets of a message take 16 bits.
 */
export type HeaderIndex = readonly number[];

/** Numbers for each header. */
export const INDEX_STRIDE = 2;

const OFFSET_BITS = 16;
const OFFSET_MASK = 0xffff;

/** Writes header i. */
export function setHeader(
  index: number[],
  i: number,
  id: HeaderId,
  start: number,
  valueStart: number,
  valueEnd: number,
): void {
  index[i * INDEX_STRIDE] = (id << OFFSET_BITS) | start;
  index[i * INDEX_STRIDE + 1] = (valueStart << OFFSET_BITS) | valueEnd;
}

/** Its `HeaderId`. */
export function idOf(index: HeaderIndex, i: number): number {
  return index[i * INDEX_STRIDE]! >>> OFFSET_BITS;
}

export function startOf(index: HeaderIndex, i: number): number {
  return index[i * INDEX_STRIDE]! & OFFSET_MASK;
}

export function valueStartOf(index: HeaderIndex, i: number): number {
  return index[i * INDEX_STRIDE + 1]! >>> OFFSET_BITS;
}

export function valueEndOf(index: HeaderIndex, i: number): number {
  return index[i * INDEX_STRIDE + 1]! & OFFSET_MASK;
}

/** The first header of this kind behind header `after`, or -1. */
export function findHeader(index: HeaderIndex, id: HeaderId, after: number): number {
  for (let i = (after + 1) * INDEX_STRIDE; i < index.length; i += INDEX_STRIDE) {
    if (index[i]! >>> OFFSET_BITS === id) return i / INDEX_STRIDE;
  }
  return -1;
}
