import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeText } from '../../core/sip/text.ts';
import { request } from '../modules/fake-core.ts';
import { backends, clientOf, rawExchange } from './rig.ts';

/** What a caller may put into a header, to end up in a key. */
const HOSTILE = [
  'x\r\nset victim 0 0 5\r\nowned\r\n',
  'x\nset victim 0 0 5\r\nowned\r\n',
  'x 0 0 1\r\nA\r\nset victim 0 0 5\r\nowned\r\nget x',
  'x\r\nflush_all\r\n',
  'x\r\ndelete victim\r\n',
  'victim x',
  'x victim',
  ' victim',
  'victim ',
  'victim\0',
  'victim\r',
  'victim\t5',
  'x noreply',
  '',
  ' ',
  '\r\n',
  '\x7f',
  'victim '.repeat(1500),
  `${'k'.repeat(10_000)}\r\nset victim 0 0 5\r\nowned\r\n`,
  `${'k'.repeat(249)}\r\nflush_all`,
  `${'k'.repeat(244)} noreply`,
];

for (const kind of backends) {
  test(`injection on ${kind.name}: no key does more than its own operation`, {
    skip: kind.skip,
  }, async (t) => {
    const { address } = await kind.start(t);
    const client = clientOf(t, [address]);
    const items = async (): Promise<number> =>
      Number(/STAT curr_items (\d+)/.exec(await rawExchange(address, 'stats\r\n'))?.[1]);
    await client.write('victim', 'mine');

    for (const [index, key] of HOSTILE.entries()) {
      const what = JSON.stringify(key.slice(0, 60));
      const value = `value ${index}`;
      assert.deepEqual(await client.read(key), { status: 'miss' }, what);
      assert.deepEqual(await client.increment(key, 1), { status: 'missing' }, what);
      assert.deepEqual(await client.touch(key, 60), { status: 'missing' }, what);
      assert.deepEqual(await client.remove(key), { status: 'missing' }, what);
      assert.equal(await items(), index + 1, `nothing was stored, ${what}`);
      assert.deepEqual(await client.write(key, value), { status: 'stored' }, what);
      assert.deepEqual(await client.read(key), { status: 'hit', value }, what);
      assert.equal(await items(), index + 2, `one item was stored, ${what}`);
      assert.deepEqual(await client.read('victim'), { status: 'hit', value: 'mine' }, what);
    }

    for (const [index, key] of HOSTILE.entries()) {
      assert.deepEqual(await client.read(key), { status: 'hit', value: `value ${index}` });
      assert.deepEqual(await client.remove(key), { status: 'removed' });
    }
    assert.equal(await items(), 1);
    assert.equal(await rawExchange(address, 'get victim\r\n'), 'VALUE victim 1 4\r\nmine\r\nEND\r\n');
  });
}

/** Header lines as they may come in a datagram, line folding included. */
const HOSTILE_HEADERS = [
  'X-Key: x\r\n set victim 0 0 5\r\n owned',
  'X-Key: victim\r\n\t',
  'X-Key: x\0\r\n flush_all\r\n ',
  'X-Key: victim 0 0 1',
  'X-Key: victim\0',
  'X-Key: \x7f\x01\x1b[2J',
  'X-Key: \xff\xfe\x80',
  `X-Key: ${'a b\0'.repeat(2500)}`,
  `X-Key: ${'k'.repeat(10_000)}\r\n flush_all`,
  'X-Key:',
];

for (const kind of backends) {
  test(`injection on ${kind.name}: headers of real messages do no more as keys`, {
    skip: kind.skip,
  }, async (t) => {
    const { address } = await kind.start(t);
    const client = clientOf(t, [address]);
    await client.write('victim', 'mine');
    for (const [index, header] of HOSTILE_HEADERS.entries()) {
      const msg = request({ headers: [header] });
      const key = decodeText(msg.value(msg.findName('X-Key')));
      for (const prefix of ['from::', 'call::']) {
        assert.deepEqual(await client.write(prefix + key, index), { status: 'stored' });
        assert.deepEqual(await client.read(prefix + key), { status: 'hit', value: index });
        assert.deepEqual(await client.read('victim'), { status: 'hit', value: 'mine' });
      }
    }
    const items = /STAT curr_items (\d+)/.exec(await rawExchange(address, 'stats\r\n'))?.[1];
    assert.equal(Number(items), 1 + 2 * HOSTILE_HEADERS.length);
  });
}
