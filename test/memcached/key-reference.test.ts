import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FormatService } from '../../core/registry/services.ts';
import { type KeyArgument, keyReference, namedKey } from '../../modules/memcached/key-reference.ts';
import { request, scopeOf } from '../modules/fake-core.ts';

const scope = scopeOf(request());

/** Formats that know `$ci` and `$later`, fail on `$null`, and remember what they were asked to expand. */
function formats(callId = 'c1@host'): FormatService & { readonly asked: readonly string[] } {
  const asked: string[] = [];
  const expandKey = (_scope: unknown, format: string): string | Promise<string> => {
    asked.push(format);
    if (format.includes('$null')) throw new Error('null in key');
    const text = format.replaceAll('$ci', callId);
    return text.includes('$later') ? Promise.resolve(text.replaceAll('$later', 'waited')) : text;
  };
  return { asked, expandKey, expand: expandKey, get: () => null, set: () => {} };
}

const refer = (service: FormatService, key: KeyArgument, ...rest: unknown[]) =>
  keyReference(service, scope, key, rest);

/** The constant parts and values of a template, as the compiler passes them. */
function template(strings: TemplateStringsArray, ...values: unknown[]): [KeyArgument, ...unknown[]] {
  return [strings, ...values];
}

test('key reference: a string is the key, all of it', () => {
  for (const key of ['call::1', '', 'k=>60', '=>', 'x=>abc']) {
    assert.deepEqual(refer(formats(), key), { key, expire: undefined, group: undefined });
    assert.deepEqual(refer(formats(), key, {}), { key, expire: undefined, group: undefined });
    assert.deepEqual(refer(formats(), key, { expire: 60 }), { key, expire: 60, group: undefined });
  }
});

test('key reference: a string names no group, its options may', () => {
  assert.deepEqual(refer(formats(), '@limits|k'), { key: '@limits|k', expire: undefined, group: undefined });
  assert.deepEqual(refer(formats(), '@limits|k', { group: 'limits' }), {
    key: '@limits|k',
    expire: undefined,
    group: 'limits',
  });
});

test('key reference: the constant that a template begins with may name a group, nothing else in it', async () => {
  const name = 'limits';
  const cases: readonly (readonly [[KeyArgument, ...unknown[]], string, string | undefined])[] = [
    [template`@limits|call::$ci`, 'call::c1@host', 'limits'],
    [template`@limits|${'@other|x'}`, '@other|x', 'limits'],
    [template`@limits|a|b`, 'a|b', 'limits'],
    [template`@${name}|k`, '@limits|k', undefined],
    [template`${'@limits|k'}`, '@limits|k', undefined],
    [template`$ci|@limits|k`, '@limits|x|@limits|k', undefined],
    [template`a@limits|k`, 'a@limits|k', undefined],
  ];
  for (const [args, key, group] of cases) {
    const callId = key.includes('@host') ? 'c1@host' : '@limits|x';
    assert.deepEqual(await refer(formats(callId), ...args), { key, expire: undefined, group });
  }
});

test('key reference: named in text, what follows the first => is the lifetime', () => {
  for (const [text, key, options] of [
    ['k', 'k', {}],
    ['k=>60', 'k', { expire: 60 }],
    ['k=> 60 ', 'k', { expire: 60 }],
    ['a b  => 60', 'a b', { expire: 60 }],
    ['k\t=>60', 'k\t', { expire: 60 }],
    ['k ', 'k ', {}],
    ['k=>0', 'k', { expire: 0 }],
    ['k=>', 'k', {}],
    ['=>5', '', { expire: 5 }],
    ['a=b=>5', 'a=b', { expire: 5 }],
    ['@limits|k', 'k', { group: 'limits' }],
    ['@limits|a|b=>5', 'a|b', { expire: 5, group: 'limits' }],
    ['@limits|', '', { group: 'limits' }],
    ['@|k', 'k', { group: '' }],
    ['@limits', '@limits', {}],
    ['@a=>5|k', '@a', null],
    ['a@limits|k', 'a@limits|k', {}],
    ['limits|k', 'limits|k', {}],
  ] as const) {
    if (options === null) assert.throws(() => namedKey(text), { code: 'ERR_MEMCACHED_EXPIRE' }, text);
    else assert.deepEqual(namedKey(text), [key, options], text);
  }
});

test('key reference: a lifetime that is no number is refused', async () => {
  for (const text of ['k=>abc', 'k=>60x', 'k=>-1', 'k=>60=>70', 'k=>1.5', 'k=>99999999999', 'k=>2592001']) {
    assert.throws(() => namedKey(text), { code: 'ERR_MEMCACHED_EXPIRE' }, text);
  }
  await assert.rejects(async () => refer(formats(), ...template`k=>abc`), { code: 'ERR_MEMCACHED_EXPIRE' });
  await assert.rejects(async () => refer(formats(), ...template`k=>${'6'}x`), {
    code: 'ERR_MEMCACHED_EXPIRE',
  });
});

test('key reference: options that are none, or hold no proper lifetime, are refused', () => {
  for (const options of [7, 'x', null]) {
    assert.throws(() => refer(formats(), 'k', options), { code: 'ERR_MEMCACHED_KEY' });
  }
  for (const expire of [-1, 1.5, Number.NaN, '60', 2_147_483_648]) {
    assert.throws(() => refer(formats(), 'k', { expire }), { code: 'ERR_MEMCACHED_EXPIRE' });
  }
});

test('key reference: no $ in a string is expanded, whatever the Call-ID', () => {
  for (const callId of ['$ru', '$ci', '$(ci', '$', '$$', '$avp(x)', '$mct(other)', 'a$', '${x}', '$null']) {
    const service = formats();
    assert.deepEqual(refer(service, `call::${callId}`), {
      key: `call::${callId}`,
      expire: undefined,
      group: undefined,
    });
    assert.deepEqual(service.asked, []);
  }
});

test('key reference: variables in the constant parts of a template are expanded', async () => {
  assert.deepEqual(await refer(formats(), ...template`call::$ci`), {
    key: 'call::c1@host',
    expire: undefined,
    group: undefined,
  });
  assert.deepEqual(await refer(formats(), ...template`$later/$ci=>60`), {
    key: 'waited/c1@host',
    expire: 60,
    group: undefined,
  });
});

test('key reference: the values of a template are taken as they are', async () => {
  for (const value of ['$ci', '$null', '$(', 'x=>0', '=>', 'a b\r\n']) {
    const service = formats();
    assert.deepEqual(await refer(service, ...template`call::${value}=>60`), {
      key: `call::${value}`,
      expire: 60,
      group: undefined,
    });
    assert.deepEqual(service.asked, []);
  }
});

test('key reference: constants and values of a template mix', async () => {
  // Blanks before the mark are no part of the key; those of a value are.
  assert.deepEqual(await refer(formats('X'), ...template`k/${'a '} => 60`), {
    key: 'k/a ',
    expire: 60,
    group: undefined,
  });
  const got = await refer(formats('X'), ...template`$ci/${'$ci'}/$ci/${7}/${8n}=>${90}`);
  assert.deepEqual(got, { key: 'X/$ci/X/7/8', expire: 90, group: undefined });
});

test('key reference: what an expanded variable holds is not expanded again, nor searched for =>', async () => {
  assert.deepEqual(await refer(formats('$ci=>0'), ...template`call::$ci`), {
    key: 'call::$ci=>0',
    expire: undefined,
    group: undefined,
  });
});

test('key reference: null and undefined are refused, as key and as value of a template', async () => {
  for (const key of [null, undefined, 7]) {
    const untyped = () => Reflect.apply(refer, undefined, [formats(), key]);
    assert.throws(untyped, { code: 'ERR_MEMCACHED_KEY' });
  }
  for (const value of [null, undefined, {}, true]) {
    await assert.rejects(async () => refer(formats(), ...template`call::${value}`), {
      code: 'ERR_MEMCACHED_KEY',
    });
  }
});

test('key reference: what has to wait is not left behind when another part is wrong', async () => {
  const service: FormatService = {
    ...formats(),
    expandKey(_scope, format) {
      if (format.includes('$null')) throw new Error('null in key');
      return Promise.reject(new Error('nothing after a while'));
    },
  };
  for (const args of [
    template`$later/${null}`,
    template`$later/${'x'}/$null`,
    template`$later=>abc`,
    template`$later=>${null}`,
  ]) {
    await assert.rejects(async () => refer(service, ...args));
  }
  // A rejection that nobody waits for would fail this test.
  await nextTurn();
});

test('key reference: a variable that is null fails the key', async () => {
  await assert.rejects(async () => refer(formats(), ...template`call::$null`), /null in key/);
});
