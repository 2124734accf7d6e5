import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KetamaRing } from '../../modules/memcached/ketama.ts';
import { parseServers, type ServerEntry } from '../../modules/memcached/server-list.ts';

function serversOf(text: string): readonly ServerEntry[] {
  const parsed = parseServers(text);
  assert.ok(parsed.ok);
  return parsed.servers;
}

/** Which server keeps `key:0`, `key:1` and so on, one digit each. */
function owners(servers: string, count: number): string {
  const ring = new KetamaRing(serversOf(servers));
  return Array.from({ length: count }, (_, i) => ring.serverOf(`key:${i}`)).join('');
}

/** Where libmemcached 1.1.4 puts the same keys (memcached_generate_hash, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED). */
const LIBMEMCACHED = [
  {
    servers: '10.0.1.1:11211;weight=600,10.0.1.2:11211;weight=300,10.0.1.3:11311;weight=200',
    owners:
      '02210122020001201101000101002100110212120110001212010200021001020200000020002012' +
      '20212100120100121100201102020022001121211020000102002201020002011010110020011000' +
      '0011101120012200110002100010021001200000',
  },
  {
    servers: '127.0.0.1:11211,127.0.0.1:11311',
    owners:
      '00001001001011000110000010101100100111111111010011100111110011010110001010011100' +
      '00111011010000101100001110100010011110101110011011110110111111011011100101101100' +
      '1001111110001011000111011111110010001011',
  },
  {
    servers: '[::1]:11211,localhost:11212;weight=3',
    owners:
      '11111111001010111110111011011111100110001111111011011111110011110110001111001111' +
      '10110111011111011111111111001010010001011111111010011111111101011111100111111111' +
      '0111000111111111111110011011111110111111',
  },
] as const;

for (const golden of LIBMEMCACHED) {
  test(`ketama: keys go where libmemcached puts them, ${golden.servers}`, () => {
    assert.equal(owners(golden.servers, golden.owners.length), golden.owners);
  });
}

test('ketama: one server more takes keys, and no key moves between the others', () => {
  const before = owners('a,b,c', 2000);
  const after = owners('a,b,c,d', 2000);
  let moved = 0;
  for (let i = 0; i < before.length; i++) {
    if (before[i] === after[i]) continue;
    moved++;
    assert.equal(after[i], '3');
  }
  assert.ok(moved > 300 && moved < 800, `${moved} of 2000 moved`);
});
