import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../../core/main/configuration.ts';

const REST = '\nlisten: ["udp:127.0.0.1:5060"]\nroutes: r.ts\n';

function read(text: string, environment: Readonly<Record<string, string>> = {}) {
  const { configuration, mistakes } = parseConfiguration(text + REST, { file: 'k.yaml', environment });
  return { metrics: configuration.metrics, mistakes: mistakes.map(({ message }) => message) };
}

test('metrics: without the key there are none', () => {
  assert.deepEqual(read(''), { metrics: null, mistakes: [] });
});

/** Each: what is written, host and port. */
const good: readonly (readonly [string, string, number])[] = [
  ['127.0.0.1:9090', '127.0.0.1', 9090],
  ['"[::1]:9090"', '::1', 9090],
  ['localhost:0', 'localhost', 0],
  ['0.0.0.0:65535', '0.0.0.0', 65_535],
];
for (const [written, host, port] of good) {
  test(`metrics: ${written} is an address`, () => {
    const place = { file: 'k.yaml', line: 1, column: 10 };
    assert.deepEqual(read(`metrics: ${written}`), { metrics: { host, port, place }, mistakes: [] });
  });
}

test('metrics: the address may come from the environment', () => {
  const { metrics, mistakes } = read('metrics: "${METRICS}"', { METRICS: '[::1]:9090' });
  assert.deepEqual([metrics?.host, metrics?.port, mistakes], ['::1', 9090, []]);
});

for (const written of [
  '127.0.0.1',
  '9090',
  '"::1:9090"',
  '"[::1]"',
  '127.0.0.1:65536',
  '256.1.1.1:80',
  '[a]',
  '""',
]) {
  test(`metrics: ${written} is a mistake, told with its place`, () => {
    const { metrics, mistakes } = read(`metrics: ${written}`);
    assert.equal(metrics, null);
    assert.match(
      mistakes.join('\n'),
      /^k\.yaml:1:10: metrics: found .*, expected host:port, such as "127\.0\.0\.1:9090" or "\[::1\]:9090"$/,
    );
  });
}
