import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyModule, Call } from '../../core/registry/module.ts';
import { Formats, MAX_CACHED_FORMAT_CHARS, MAX_CACHED_FORMATS } from '../../core/routing/formats.ts';
import { load, moduleOf, scopeOf, settled } from '../registry/fixtures.ts';

type AnyCall = Call<Map<string, unknown>>;

/** Variables of every sort: plain and with parentheses, at once and with waiting, with null and all kinds of values. */
function storeModule(): AnyModule {
  return moduleOf('store', {
    init: () =>
      new Map<string, unknown>([
        ['cnt', 2],
        ['call::INVITE', 'kept'],
        ['big', 2n ** 64n],
        ['flag', true],
        ['list', ['a', 1]],
      ]),
    pseudoVariables: {
      $rm: { doc: 'Method.', plain: true, get: () => 'INVITE' },
      $si: { doc: 'Source.', plain: true, get: () => '10.0.0.1' },
      $none: { doc: 'Null.', plain: true, get: () => null },
      $undef: { doc: 'Nothing.', plain: true, get: () => undefined },
      $route: { doc: 'Kind of handler.', plain: true, get: ({ scope }: AnyCall) => scope.route },
      $var: {
        doc: 'At once.',
        get: ({ state }: AnyCall, key: string) => state.get(key) ?? null,
        set: ({ state }: AnyCall, value: unknown, key: string) => void state.set(key, value),
      },
      $mct: {
        doc: 'With waiting.',
        parse(inner: string) {
          const [key = '', expire] = inner.split('=>');
          if (expire !== undefined && !/^\d+$/.test(expire)) throw new Error('a lifetime is a number');
          return expire === undefined ? [key] : [key, { expire: Number(expire) }];
        },
        get: async ({ state }: AnyCall, key: string) => state.get(key) ?? null,
        async set({ state }: AnyCall, value: unknown, key: string, options?: { expire: number }) {
          state.set(key, options === undefined ? value : [value, options.expire]);
          return value;
        },
      },
      $fail: {
        doc: 'Fails.',
        plain: true,
        get() {
          throw new Error('failed');
        },
      },
    },
  });
}

function formatsOf() {
  const { registry } = load([storeModule()]);
  const formats = new Formats();
  formats.use(registry);
  const scope = scopeOf('request');
  return { formats, scope, state: registry.loaded[0]?.state };
}

const EXPANDED: readonly (readonly [string, string])[] = [
  ['', ''],
  ['no variable', 'no variable'],
  ['$rm from $si', 'INVITE from 10.0.0.1'],
  ['$(rm)s', 'INVITEs'],
  ['$var(cnt) $var(big)', '2 18446744073709551616'],
  ['$none and $undef', '<null> and <null>'],
  ['$var(flag) $var(list)', 'true ["a",1]'],
  ['$var(call::$rm)', 'kept'],
  ['$route', 'request'],
  ['costs $$5', 'costs $5'],
];
for (const [format, expected] of EXPANDED) {
  test(`expand: '${format}' is text at once`, () => {
    const { formats, scope } = formatsOf();
    assert.equal(formats.expand(scope, format), expected);
  });
}

const WAITED: readonly (readonly [string, string])[] = [
  ['$rm from $si, counter $mct(cnt)', 'INVITE from 10.0.0.1, counter 2'],
  ['$mct(cnt) $mct(gone)$none $rm', '2 <null><null> INVITE'],
  ['$mct(call::$rm)', 'kept'],
  ['$mct(call::$rm=>60)', 'kept'],
  ['$var(call::$mct(m))', '<null>'],
];
for (const [format, expected] of WAITED) {
  test(`expand: '${format}' waits for its value`, async () => {
    const { formats, scope } = formatsOf();
    await formats.set(scope, '$mct(m)', 'BYE');
    const text = formats.expand(scope, format);
    assert.ok(text instanceof Promise);
    assert.equal(await text, expected);
  });
}

test('expand: variables that wait do so together', async () => {
  const asked: string[] = [];
  const { registry } = load([
    moduleOf('slow', {
      pseudoVariables: {
        $s: {
          doc: 'Never.',
          get: (_call: AnyCall, key: string) => new Promise(() => void asked.push(key)),
        },
      },
    }),
  ]);
  const formats = new Formats();
  formats.use(registry);
  void formats.expand(scopeOf('request'), '$s(a) $s(b)');
  assert.deepEqual(asked, ['a', 'b']);
  await settled();
});

test('expand: a variable that throws behind one that waits rejects the text', async () => {
  const { formats, scope } = formatsOf();
  assert.throws(() => formats.expand(scope, '$fail'), { message: 'failed' });
  const text = formats.expand(scope, '$mct(cnt) $fail');
  await assert.rejects(Promise.resolve(text), { message: 'failed' });
});

test('expandKey: a null variable is an error, not a key that all share', async () => {
  const { formats, scope } = formatsOf();
  assert.equal(formats.expandKey(scope, 'call::$rm'), 'call::INVITE');
  assert.equal(formats.expandKey(scope, 'plain'), 'plain');
  assert.throws(() => formats.expandKey(scope, 'call::$none'), {
    code: 'ERR_PV_NULL_IN_KEY',
    message: "$none is null inside the key 'call::$none'",
  });
  await assert.rejects(Promise.resolve(formats.expandKey(scope, 'call::$mct(gone)')), {
    code: 'ERR_PV_NULL_IN_KEY',
  });
});

test('expand: a null variable inside parentheses is an error', async () => {
  const { formats, scope } = formatsOf();
  assert.throws(() => formats.expand(scope, 'x $var(call::$none)'), {
    code: 'ERR_PV_NULL_IN_KEY',
    message: "$none is null inside the key '$var(call::$none)'",
  });
  await assert.rejects(async () => formats.get(scope, '$var(call::$mct(gone))'), {
    code: 'ERR_PV_NULL_IN_KEY',
  });
});

test('expand: what a value holds is never expanded again', () => {
  const { formats, scope } = formatsOf();
  void formats.set(scope, '$var(evil)', '$rm $mct(cnt) $$');
  assert.equal(formats.expand(scope, '$var(evil)'), '$rm $mct(cnt) $$');
  assert.equal(formats.expand(scope, '$var($var(evil))'), '<null>');
});

test('get: gives the value itself', async () => {
  const { formats, scope } = formatsOf();
  assert.equal(formats.get(scope, '$var(cnt)'), 2);
  assert.equal(formats.get(scope, '$(var(big))'), 2n ** 64n);
  assert.equal(formats.get(scope, '$undef'), null);
  const value = formats.get(scope, '$mct(cnt)');
  assert.ok(value instanceof Promise);
  assert.equal(await value, 2);
});

test('set: gives what the module answers; inner text becomes arguments by its parse', async () => {
  const { formats, scope, state } = formatsOf();
  assert.equal(formats.set(scope, '$var(x)', 5), undefined);
  assert.equal(await formats.set(scope, '$mct(call::$rm=>60)', 'v'), 'v');
  assert.ok(state instanceof Map);
  assert.equal(state.get('x'), 5);
  assert.deepEqual(state.get('call::INVITE'), ['v', 60]);
});

const REFUSED: readonly (readonly [string, string, string])[] = [
  ['$mtc(x)', 'ERR_PV_UNKNOWN', "no pseudo-variable named '$mtc'; did you mean '$mct'?"],
  ['$var($nothing)', 'ERR_PV_UNKNOWN', "no pseudo-variable named '$nothing'"],
  [
    'a $rm(b)',
    'ERR_PV_SYNTAX',
    "'a $rm(b)', offset 2: $rm takes no parentheses; where one follows it, write $(rm)",
  ],
  [
    'a name that is long'.padEnd(99, '.') + '$var',
    'ERR_PV_SYNTAX',
    `'${'a name that is long'.padEnd(60, '.')}…', offset 99: $var needs parentheses`,
  ],
  ['$var', 'ERR_PV_SYNTAX', "'$var', offset 0: $var needs parentheses"],
  ['$mct(k=>x)', 'ERR_PV_SYNTAX', "'$mct(k=>x)', offset 0: a lifetime is a number"],
  ['$mct($rm=>x)', 'ERR_PV_SYNTAX', "'$mct($rm=>x)', offset 0: a lifetime is a number"],
];
for (const [format, code, message] of REFUSED) {
  test(`expand: refuses '${format}'`, () => {
    const { formats, scope } = formatsOf();
    assert.throws(() => formats.expand(scope, format), { code, message });
  });
}

test('get, set: take the name of one variable and nothing else', () => {
  const { formats, scope } = formatsOf();
  for (const name of ['', 'rm', '$$', ' $rm', '$rm$si'])
    assert.throws(() => formats.get(scope, name), { code: 'ERR_PV_SYNTAX' });
  assert.throws(() => formats.set(scope, '$rm', 'BYE'), {
    code: 'ERR_PV_READ_ONLY',
    message: '$rm cannot be set',
  });
});

test('cache: compiled formats are bounded, and very long ones are not kept', () => {
  const { formats, scope } = formatsOf();
  for (let i = 0; i < MAX_CACHED_FORMATS * 2; i += 1) void formats.expand(scope, `${i} $rm`);
  assert.equal(formats.cached, MAX_CACHED_FORMATS);
  formats.use({ loaded: [] });
  assert.equal(formats.cached, 0);
  assert.throws(() => formats.expand(scope, '$rm'), { code: 'ERR_PV_UNKNOWN' });
  const other = formatsOf();
  void other.formats.expand(scope, 'no variable');
  void other.formats.expand(scope, `$rm ${'x'.repeat(MAX_CACHED_FORMAT_CHARS)}`);
  assert.equal(other.formats.cached, 0);
});
