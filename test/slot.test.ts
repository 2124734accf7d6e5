import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slot, type SlotOwner } from '../core/slot.ts';

test('slot: keeps one value with each owner, apart from other slots', () => {
  const name = new Slot<SlotOwner, string>();
  const size = new Slot<SlotOwner, number>();
  const [one, other]: [SlotOwner, SlotOwner] = [{ slots: null }, { slots: null }];
  assert.equal(name.get(one), undefined);
  size.set(one, 1);
  name.set(one, 'first');
  name.set(other, 'second');
  name.set(one, 'third');
  assert.deepEqual([name.get(one), size.get(one)], ['third', 1]);
  assert.deepEqual([name.get(other), size.get(other)], ['second', undefined]);
});
