import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Lookup, type Resolved, Resolver } from '../../core/transport/resolver.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';

type Done = Parameters<Lookup>[2];

/** A resolver whose look-ups the test answers. */
function heldResolver() {
  const clock = new FakeClock();
  const asked: { host: string; family: number; done: Done }[] = [];
  const resolver = new Resolver({
    clock,
    lookup: (host, family, done) => void asked.push({ host, family, done }),
  });
  return { clock, asked, resolver };
}

/** A resolver that finds each name at once, at an address of its own. */
function readyResolver() {
  const clock = new FakeClock();
  const asked: string[] = [];
  const resolver = new Resolver({
    clock,
    lookup: (host, _family, done) => {
      asked.push(host);
      done(null, `192.0.2.${asked.length % 250}`);
    },
  });
  return { clock, asked, resolver };
}

const NUMERIC: readonly [host: string, family: 0 | 4 | 6, result: Resolved][] = [
  ['192.0.2.1', 0, { ok: true, address: '192.0.2.1', family: 4, others: [] }],
  ['192.0.2.1', 4, { ok: true, address: '192.0.2.1', family: 4, others: [] }],
  ['192.0.2.1', 6, { ok: false, reason: '192.0.2.1 is not an IPv6 address' }],
  ['2001:db8::1', 0, { ok: true, address: '2001:db8::1', family: 6, others: [] }],
  ['[2001:db8::1]', 6, { ok: true, address: '2001:db8::1', family: 6, others: [] }],
  ['[2001:db8::1]', 4, { ok: false, reason: '2001:db8::1 is not an IPv4 address' }],
];
for (const [host, family, expected] of NUMERIC) {
  test(`resolver: ${host} for family ${family} is answered at once`, () => {
    const { resolver, asked } = heldResolver();
    assert.deepEqual(resolver.resolve(host, family), expected);
    assert.equal(asked.length, 0);
  });
}

const NO_NAMES = [
  '',
  '.',
  '127.1',
  '1.2.3',
  '0x7f.1',
  '300.1.1.1',
  'a..b',
  '.a',
  '-a',
  'a b',
  'a\0b',
  'a\r\nb',
  'ä',
  '[x]',
  'a/b',
  'a.'.repeat(127),
];
for (const host of NO_NAMES) {
  test(`resolver: never asks for ${JSON.stringify(host.slice(0, 20))}`, () => {
    const { resolver, asked } = heldResolver();
    assert.deepEqual(resolver.resolve(host), { ok: false, reason: 'not a host name' });
    assert.equal(asked.length, 0);
  });
}

for (const host of [
  'localhost',
  'example.com',
  'example.com.',
  'a-b.x',
  '_sip.example',
  '1.example',
  `${'a.'.repeat(126)}a`,
]) {
  test(`resolver: asks for ${host.slice(0, 20)}`, async () => {
    const { resolver, asked } = readyResolver();
    assert.deepEqual(await resolver.resolve(host), { ok: true, address: '192.0.2.1', family: 4, others: [] });
    assert.deepEqual(asked, [host]);
  });
}

test('resolver: a name is remembered for 30 s, in any case of its letters', async () => {
  const { clock, resolver, asked } = readyResolver();
  const first = await resolver.resolve('example.com');
  clock.advance(29_999);
  assert.deepEqual(resolver.resolve('EXAMPLE.com'), first);
  clock.advance(1);
  assert.ok(resolver.resolve('example.com') instanceof Promise);
  assert.equal(asked.length, 2);
});

test('resolver: a failure is remembered for 5 s', async () => {
  const { clock, resolver, asked } = heldResolver();
  const result = resolver.resolve('example.com');
  asked[0]?.done(new Error('getaddrinfo ENOTFOUND'), '');
  assert.deepEqual(await result, { ok: false, reason: 'getaddrinfo ENOTFOUND' });
  clock.advance(4_999);
  assert.deepEqual(resolver.resolve('example.com'), { ok: false, reason: 'getaddrinfo ENOTFOUND' });
  clock.advance(1);
  assert.ok(resolver.resolve('example.com') instanceof Promise);
});

test('resolver: callers of one name share a look-up, families apart', async () => {
  const { resolver, asked } = heldResolver();
  const results = [0, 0, 6, 6].map((family) => resolver.resolve('example.com', family === 6 ? 6 : 0));
  assert.deepEqual(
    asked.map(({ family }) => family),
    [0, 6],
  );
  asked[0]?.done(null, '192.0.2.1');
  asked[1]?.done(null, '2001:db8::1');
  assert.deepEqual(
    (await Promise.all(results.map((result) => Promise.resolve(result)))).map(
      (result) => result.ok && result.address,
    ),
    ['192.0.2.1', '192.0.2.1', '2001:db8::1', '2001:db8::1'],
  );
});

test('resolver: a caller waits 5 s and no longer', async () => {
  const { clock, resolver } = heldResolver();
  const result = resolver.resolve('example.com');
  clock.advance(5_000);
  assert.deepEqual(await result, { ok: false, reason: 'no answer within 5000 ms' });
  assert.equal(clock.pending, 0);
});

test('resolver: an answer in time leaves no timer', async () => {
  const { clock, resolver } = readyResolver();
  await resolver.resolve('example.com');
  assert.equal(clock.pending, 0);
});

test('resolver: an answer that comes too late serves the next caller', async () => {
  const { clock, resolver, asked } = heldResolver();
  const result = resolver.resolve('example.com');
  clock.advance(5_000);
  await result;
  asked[0]?.done(null, '192.0.2.7');
  assert.deepEqual(resolver.resolve('example.com'), {
    ok: true,
    address: '192.0.2.7',
    family: 4,
    others: [],
  });
});

test('resolver: remembers 1,000 names, the newest', async () => {
  const { resolver, asked } = readyResolver();
  for (let i = 0; i <= 1_000; i += 1) await resolver.resolve(`host${i}.example`);
  assert.equal(asked.length, 1_001);
  assert.ok(!(resolver.resolve('host1.example') instanceof Promise));
  assert.ok(resolver.resolve('host0.example') instanceof Promise);
});

test('resolver: looks up 200 names at once; a look-up counts until it is answered, not until the caller has gone', async () => {
  const { clock, resolver, asked } = heldResolver();
  for (let i = 0; i < 200; i += 1) void resolver.resolve(`host${i}.example`);
  const full = { ok: false, reason: 'too many names are being looked up' };
  assert.deepEqual(resolver.resolve('one-more.example'), full);
  clock.advance(10_000);
  assert.deepEqual(resolver.resolve('one-more.example'), full);
  asked[0]?.done(new Error('failed'), '');
  const more = resolver.resolve('one-more.example');
  assert.equal(asked.length, 201);
  asked[200]?.done(null, '192.0.2.1');
  assert.equal((await more).ok, true);
});

test('resolver: keeps all addresses of a host, up to 16', async () => {
  const { resolver, asked } = heldResolver();
  const several = resolver.resolve('a.example');
  const many = resolver.resolve('b.example');
  asked[0]?.done(null, ['192.0.2.1', '2001:db8::1']);
  asked[1]?.done(
    null,
    Array.from({ length: 17 }, (_, i) => `192.0.2.${i + 1}`),
  );
  assert.deepEqual(await several, { ok: true, address: '192.0.2.1', family: 4, others: ['2001:db8::1'] });
  const found = await many;
  assert.deepEqual(found.ok && [found.others.length, found.others.at(-1)], [15, '192.0.2.16']);
});

test('resolver: an answer that is no address is a failure', async () => {
  const { resolver, asked } = heldResolver();
  const result = resolver.resolve('example.com');
  asked[0]?.done(null, '');
  assert.deepEqual(await result, { ok: false, reason: 'no address' });
});

test("resolver: asks the system's resolver by default", async () => {
  const resolver = new Resolver({ clock: new FakeClock() });
  assert.deepEqual(await resolver.resolve('localhost', 4), {
    ok: true,
    address: '127.0.0.1',
    family: 4,
    others: [],
  });
});
