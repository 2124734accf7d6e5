import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { startOrder } from '../../core/registry/order.ts';

interface Node {
  readonly name: string;
  readonly depends: readonly string[];
}
const node = (name: string, ...depends: readonly string[]): Node => ({ name, depends });
const names = (nodes: readonly Node[]): string[] => startOrder(nodes).ordered.map(({ name }) => name);

test('startOrder: puts a module after what it depends on', () => {
  assert.deepEqual(names([node('tm', 'sl', 'pv'), node('pv'), node('sl', 'pv')]), ['pv', 'sl', 'tm']);
});

test('startOrder: keeps the given order of modules that do not depend on each other', () => {
  assert.deepEqual(names([node('c'), node('a'), node('b')]), ['c', 'a', 'b']);
});

test('startOrder: gives the path of a cycle', () => {
  const { problems } = startOrder([node('x', 'a'), node('a', 'b'), node('b', 'c'), node('c', 'a')]);
  assert.deepEqual(problems, [{ kind: 'cycle', name: 'a', path: ['a', 'b', 'c', 'a'] }]);
});

test('startOrder: reports a module that depends on itself', () => {
  assert.deepEqual(startOrder([node('a', 'a')]).problems, [{ kind: 'cycle', name: 'a', path: ['a', 'a'] }]);
});

test('startOrder: reports every problem, not the first alone', () => {
  const { problems } = startOrder([node('a', 'b', 'gone'), node('b', 'a'), node('c', 'lost')]);
  assert.deepEqual(problems, [
    { kind: 'cycle', name: 'a', path: ['a', 'b', 'a'] },
    { kind: 'dependency', name: 'a', missing: 'gone' },
    { kind: 'dependency', name: 'c', missing: 'lost' },
  ]);
});

test('startOrder: orders any graph without cycles', () => {
  const graph = fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { maxLength: 20 });
  fc.assert(
    fc.property(graph, (edges) => {
      // Edges to lower numbers only cannot form a cycle.
      const nodes = edges
        .map((targets, i) => node(`m${i}`, ...targets.filter((t) => t < i).map((t) => `m${t}`)))
        .toReversed();
      const { ordered, problems } = startOrder(nodes);
      assert.deepEqual(problems, []);
      assert.equal(ordered.length, nodes.length);
      const place = new Map(ordered.map(({ name }, i) => [name, i]));
      for (const [i, { depends }] of ordered.entries())
        for (const name of depends) assert.ok((place.get(name) ?? Number.POSITIVE_INFINITY) < i);
    }),
  );
});
