import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call } from '../../core/registry/module.ts';
import type { RouteKind } from '../../core/registry/scope.ts';
import { compileContext } from '../../core/routing/bind.ts';
import { load, moduleOf, scopeOf } from '../registry/fixtures.ts';
import { recordedLog } from '../transport/recorded-log.ts';

type AnyCall = Call<{ readonly of: string }>;
interface Ref {
  get(): unknown;
  set(value: unknown): unknown;
}
interface Members {
  readonly pv: { readonly $who: Ref; $key(...inner: readonly unknown[]): Ref; readonly $b: Ref };
  readonly ksr: Readonly<Record<string, Readonly<Record<string, (...args: readonly unknown[]) => unknown>>>>;
}

const calls: AnyCall[] = [];
const fn = (on: string, routes?: readonly RouteKind[]) => ({
  doc: 'F.',
  signature: '(): void',
  on,
  ...(routes && { routes }),
  call(call: AnyCall, ...args: readonly unknown[]) {
    calls.push(call);
    return [call.state.of, ...args];
  },
});
const a = moduleOf('a', {
  init: () => ({ of: 'a' }),
  pseudoVariables: {
    $who: { doc: 'Who.', plain: true, get: ({ state }: AnyCall) => state.of },
    $key: {
      doc: 'Key.',
      get: ({ state }: AnyCall, ...inner: readonly unknown[]) => ['get', state.of, ...inner],
      set: ({ state }: AnyCall, value: unknown, ...inner: readonly unknown[]) => [
        'set',
        state.of,
        value,
        ...inner,
      ],
    },
  },
  functions: {
    any: fn('any'),
    request: fn('request'),
    reply: fn('reply'),
    failure: fn('request', ['failure']),
  },
});
const b = moduleOf('b', {
  init: () => ({ of: 'b' }),
  pseudoVariables: {
    $b: { doc: 'B.', plain: true, get: ({ state }: AnyCall) => state.of, set: () => true },
  },
  functions: { any: fn('any') },
});

const { registry, log } = load([a, b]);
const Context = compileContext(registry.loaded);

/** A context with the members that its modules give it, which its own type does not know. */
function contextOf(route: RouteKind = 'request') {
  const scope = scopeOf(route, { method: 'INVITE' });
  const context = new Context(scope, recordedLog());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the members are is the subject of these tests
  const { pv, ksr } = context as unknown as Members;
  return { scope, context, pv, ksr };
}

test('context: shows the message and the members of its modules', () => {
  const { context, scope, pv, ksr } = contextOf();
  assert.equal(context.msg, scope.msg);
  assert.equal(pv.$who.get(), 'a');
  assert.equal(pv.$b.get(), 'b');
  assert.deepEqual(ksr['a']?.['any']?.(1, 'x'), ['a', 1, 'x']);
  assert.deepEqual(ksr['b']?.['any']?.(), ['b']);
});

test('context: a variable with parentheses gets what stands between them, and the value first when it is set', () => {
  const { pv } = contextOf();
  assert.deepEqual(pv.$key('k').get(), ['get', 'a', 'k']);
  assert.deepEqual(pv.$key('k', { expire: 1 }).set(5), ['set', 'a', 5, 'k', { expire: 1 }]);
  assert.deepEqual(pv.$key`a${1}b`.get(), ['get', 'a', ['a', 'b'], 1]);
});

test('context: only a variable that can be set is set', () => {
  const { pv } = contextOf();
  assert.throws(() => pv.$who.set('b'), { code: 'ERR_PV_READ_ONLY', message: '$who cannot be set' });
  assert.equal(pv.$b.set(1), true);
});

test('context: makes one call for each module in a run, and others in the next', () => {
  calls.length = 0;
  const first = contextOf();
  first.ksr['a']?.['any']?.();
  first.ksr['a']?.['request']?.();
  first.ksr['b']?.['any']?.();
  contextOf().ksr['a']?.['any']?.();
  const [one, two, other, next] = calls;
  assert.equal(one, two);
  assert.notEqual(one, other);
  assert.notEqual(one, next);
  assert.equal(one?.scope, first.scope);
  assert.equal(one?.msg, first.scope.msg);
  one?.log.info('x');
  assert.deepEqual(log.lines.at(-1)?.fields, { module: 'a' });
});

test('context: hides modules that are not used', () => {
  const [used] = registry.loaded;
  assert.ok(used !== undefined);
  const context = new (compileContext([used]))(scopeOf('request'), recordedLog());
  assert.equal('a' in context.ksr, true);
  assert.equal('b' in context.ksr, false);
  assert.equal('$b' in context.pv, false);
});

test('context: says that a module is missing in uses when one of its members is touched, and lists none of them', () => {
  const [used, ...unused] = registry.loaded;
  assert.ok(used !== undefined);
  const context = new (compileContext([used], unused))(scopeOf('request'), recordedLog());
  for (const [touch, written] of [
    [() => Reflect.get(context.ksr, 'b'), 'ksr.b'],
    [() => Reflect.get(context.pv, '$b'), 'pv.$b'],
  ] as const)
    assert.throws(touch, {
      code: 'ERR_ROUTE_NOT_IN_USES',
      message: `${written} belongs to module 'b', which is missing in the routes' uses`,
    });
  const listed: string[] = [];
  for (const name in context.ksr) listed.push(name);
  assert.deepEqual(listed, ['a']);
});

const KINDS: readonly RouteKind[] = ['request', 'reply', 'onreply', 'failure', 'branch'];
const ALLOWED: Readonly<Record<string, readonly RouteKind[]>> = {
  any: KINDS,
  request: ['request', 'failure', 'branch'],
  reply: ['reply', 'onreply'],
  failure: ['failure'],
};
for (const [name, allowed] of Object.entries(ALLOWED)) {
  for (const route of KINDS) {
    const works = allowed.includes(route);
    test(`context: a function for ${name} ${works ? 'works' : 'is refused'} in ${route} handlers`, () => {
      const run = () => contextOf(route).ksr['a']?.[name]?.();
      if (works) assert.deepEqual(run(), ['a']);
      else
        assert.throws(run, {
          code: 'ERR_ROUTE_FUNCTION',
          message: `a.${name} works in ${allowed.join(', ')} handlers, not in ${route} handlers`,
        });
    });
  }
}
