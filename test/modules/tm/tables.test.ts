import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BranchTable } from '../../../modules/tm/branch-table.ts';
import { serverHash, serverKey } from '../../../modules/tm/matching.ts';
import { ServerTable } from '../../../modules/tm/server-table.ts';
import { request } from '../fake-core.ts';

/** Requests whose transactions have keys of their own, for as many as a test takes. */
const requests = Array.from({ length: 40 }, (_, i) => request({ branch: `z9hG4bKb${i}` }));

/** Steps: a transaction is added, or taken out when it is there. `hash` decides where it stands: few hashes make many stand in the places of others. */
const steps = fc.array(fc.nat({ max: requests.length - 1 }), { maxLength: 200 });
const hashes = fc.array(fc.constantFrom(1, 2, 255, 256, 257, -1, 511, 2 ** 31 - 1), {
  minLength: requests.length,
  maxLength: requests.length,
});

test('server table: finds what a Map would, however many share a place or a hash', () => {
  fc.assert(
    fc.property(steps, hashes, (taken, hashOf) => {
      const table = new ServerTable<{ readonly hash: number; readonly key: string }>();
      const map = new Map<number, { readonly hash: number; readonly key: string }>();
      for (const i of taken) {
        const known = map.get(i);
        if (known === undefined) {
          const entry = { hash: hashOf[i]!, key: serverKey(requests[i]!) };
          table.add(entry);
          map.set(i, entry);
        } else {
          assert.equal(table.remove(known), true);
          assert.equal(table.remove(known), false);
          map.delete(i);
        }
        assert.equal(table.size, map.size);
        for (const [j, each] of requests.entries())
          assert.equal(table.find(hashOf[j]!, each), map.get(j) ?? null);
      }
      assert.deepEqual(new Set(table.values()), new Set(map.values()));
      for (const [i, { hash, key }] of map) {
        const other = { hash, key };
        table.replace(map.get(i)!, other);
        assert.equal(table.find(hash, requests[i]!), other);
        table.replace(map.get(i)!, { hash, key }); // is not there any more
        assert.equal(table.find(hash, requests[i]!), other);
      }
      assert.equal(table.size, map.size);
      table.clear();
      assert.equal(table.find(hashOf[0]!, requests[0]!), null);
      assert.equal(table.size, 0);
    }),
    { numRuns: 50, seed: 17 },
  );
});

test('server table: grows, and finds each of many', () => {
  const table = new ServerTable<{ readonly hash: number; readonly key: string }>();
  const many = Array.from({ length: 5_000 }, (_, i) => request({ branch: `z9hG4bK-${i}-0` }));
  for (const each of many) table.add({ hash: serverHash(each, 7), key: serverKey(each) });
  assert.equal(table.size, many.length);
  for (const each of many) assert.equal(table.find(serverHash(each, 7), each)?.key, serverKey(each));
  assert.equal(table.find(serverHash(many[3]!, 7), many[3]!, 'CANCEL'), null);
});

test('server hash: is the same for what belongs to one transaction, and another by another seed', () => {
  const invite = request({ branch: 'z9hG4bKa' });
  for (const method of ['ACK', 'CANCEL', 'INVITE'])
    assert.equal(
      serverHash(request({ method, branch: 'z9hG4bKa', headers: ['X: 1'] }), 5),
      serverHash(invite, 5),
    );
  assert.notEqual(serverHash(request({ branch: 'z9hG4bKb' }), 5), serverHash(invite, 5));
  assert.notEqual(serverHash(invite, 6), serverHash(invite, 5));
  // Without the magic cookie (RFC 2543) a branch says nothing.
  assert.equal(serverHash(request({ branch: '1' }), 5), serverHash(request({ branch: '2' }), 5));
});

test('server hash: spreads branches that count up over the places of a table', () => {
  const places = 1_024;
  const taken = new Set<number>();
  for (let i = 0; i < places / 2; i += 1)
    taken.add(serverHash(request({ branch: `z9hG4bK-4711-${i}-0` }), 99) & (places - 1));
  // Drawn at random, 512 of 1,024 places leave some 403 different ones.
  assert.ok(taken.size > 350, `${taken.size} places`);
});

test('branch table: finds what a Map would, and never gives a parameter twice', () => {
  const table = new BranchTable<{ readonly id: string }>('z9hG4bKt');
  const map = new Map<string, { readonly id: string }>();
  fc.assert(
    fc.property(fc.array(fc.constantFrom('new', 'add', 'remove', 'fork'), { maxLength: 300 }), (actions) => {
      const waiting: { readonly id: string }[] = [];
      for (const action of actions) {
        if (action === 'new' || action === 'fork') {
          const id = table.newId() + (action === 'fork' ? '.ab12' : '');
          assert.equal(map.has(id), false);
          waiting.push({ id });
        } else if (action === 'add') {
          const entry = waiting.pop();
          if (entry === undefined) continue;
          table.add(entry);
          map.set(entry.id, entry);
        } else {
          const [first] = map.values();
          if (first === undefined) continue;
          table.remove(first);
          map.delete(first.id);
          assert.equal(table.find(first.id), null);
        }
        assert.equal(table.size, map.size);
      }
      for (const [id, entry] of map) assert.equal(table.find(id), entry);
      assert.deepEqual(new Set(table.values()), new Set(map.values()));
    }),
    { numRuns: 50, seed: 17 },
  );
});

test('branch table: of two whose number names one place, both are found', () => {
  const table = new BranchTable<{ readonly id: string }>('p');
  const first = { id: table.newId() };
  // A table that has not grown names the same place again after so many.
  let later = { id: table.newId() };
  for (let i = 0; i < 255; i += 1) later = { id: table.newId() };
  table.add(first);
  table.add(later);
  assert.equal(table.size, 2);
  assert.equal(table.find(first.id), first);
  assert.equal(table.find(later.id), later);
  const [another, anotherLater] = [{ id: first.id }, { id: later.id }];
  table.replace(first, another);
  table.replace(later, anotherLater);
  assert.equal(table.find(first.id), another);
  assert.equal(table.find(later.id), anotherLater);
  table.replace(later, later); // is not there any more
  table.remove(another);
  assert.equal(table.find(first.id), null);
  assert.equal(table.find(later.id), anotherLater);
  table.remove(anotherLater);
  assert.equal(table.size, 0);
});

test('branch table: what is not its own is not found, such as another prefix, number or end', () => {
  const table = new BranchTable<{ readonly id: string }>('z9hG4bKtabc');
  const entry = { id: table.newId() };
  table.add(entry);
  assert.equal(table.find(entry.id), entry);
  for (const id of [
    '',
    'z9hG4bKtabc',
    'z9hG4bKtabd1',
    `${entry.id}0`,
    `${entry.id}.x`,
    ` ${entry.id}`,
    'z9hG4bKtabc257',
  ])
    assert.equal(table.find(id), null, id);
  table.clear();
  assert.equal(table.find(entry.id), null);
});
