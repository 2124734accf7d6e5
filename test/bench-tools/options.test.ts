import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import { readOptions, UsageError } from '../bench/options.ts';

test('bench options: without any, each has its default', () => {
  const { rate, rounds, proxies, cached, live } = readOptions([]);
  assert.deepEqual(
    { rate, rounds, proxies, cached, live },
    {
      rate: null,
      rounds: 5,
      proxies: ['kamailio', 'kamaiki'],
      cached: [true, false],
      live: [10, 10_000, 100_000],
    },
  );
});

test('bench options: the Node.js of the proxy comes with options', () => {
  assert.deepEqual(readOptions(['--node', 'node --v8-pool-size=1  --expose-gc']).node, [
    'node',
    '--v8-pool-size=1',
    '--expose-gc',
  ]);
});

test('bench options: kamaiki has the Node.js options of npm start unless told', () => {
  const [, ...options] = readOptions([]).node;
  assert.ok(options.length > 0);
  const manifest = readFileSync(join(ROOT, 'package.json'), 'utf8');
  // `exec`: the signals that npm sends on reach the proxy, not a shell in between.
  assert.ok(manifest.includes(`&& exec node ${options.join(' ')} dist/core/main/bin.js"`));
});

test('bench options: those that are given count', () => {
  const options = readOptions(
    '--rate 2000 --delay-ms 2.5 --proxies kamaiki --cache off --rates 5,6'.split(' '),
  );
  const { rate, delayMs, proxies, cached, rates } = options;
  assert.deepEqual(
    { rate, delayMs, proxies, cached, rates },
    { rate: 2000, delayMs: 2.5, proxies: ['kamaiki'], cached: [false], rates: [5, 6] },
  );
});

for (const { args, complaint } of [
  { args: ['--rate', '0'], complaint: /--rate: expected a number of at least 1, found '0'/ },
  { args: ['--rate', 'fast'], complaint: /--rate: .* found 'fast'/ },
  { args: ['--rounds', '1.5'], complaint: /--rounds: expected a whole number/ },
  { args: ['--rates', '10,'], complaint: /--rates: .* found ''/ },
  {
    args: ['--proxies', 'kamaiki,opensips'],
    complaint: /--proxies: expected kamailio, kamaiki, found 'opensips'/,
  },
  { args: ['--node', ' '], complaint: /--node: expected a program and its options, found ' '/ },
  { args: ['--cpus', '0'], complaint: /--cpus: expected a number of at least 0\.1, found '0'/ },
  { args: ['--cache', 'maybe'], complaint: /--cache: expected on, off, both/ },
  { args: ['--low', '900', '--high', '900'], complaint: /--low: expected less than --high/ },
  { args: ['--speed', '1'], complaint: /--speed/ },
  { args: ['12'], complaint: /12/ },
]) {
  test(`bench options: ${args.join(' ')} is refused`, () => {
    assert.throws(
      () => readOptions(args),
      (error) => error instanceof UsageError && complaint.test(error.message),
    );
  });
}
