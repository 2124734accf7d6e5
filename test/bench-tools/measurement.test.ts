import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { withArrangement } from '../bench/arrangement.ts';
import { missingContender } from '../bench/contender.ts';
import { startDelayRelay } from '../bench/delay-relay.ts';
import { cpuBetween, usageOf } from '../bench/process-tree.ts';
import { table } from '../bench/table.ts';
import { runUdpLoad } from '../bench/udp-load-run.ts';
import { Child } from '../programs/child.ts';
import { missing } from '../programs/missing.ts';

const CALLS = 20;

test('process tree: CPU and memory of a process count, and those of what it started', async () => {
  const work = 'const end = performance.now() + 300; while (performance.now() < end);';
  const nested = new Child(process.execPath, [
    '-e',
    `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(`${work}console.log('done'); setInterval(() => {}, 1000)`)}], { stdio: 'inherit' }); setInterval(() => {}, 1000);`,
  ]);
  try {
    const before = usageOf(nested.pid);
    await nested.until('end of the work', () => nested.out.includes('done'));
    const after = usageOf(nested.pid);
    const { userUs, systemUs } = cpuBetween(before, after);
    assert.ok(userUs + systemUs > 20_000, `${userUs} + ${systemUs}`);
    assert.ok(after.residentKb > 20_000 && after.peakKb >= after.residentKb);
  } finally {
    await nested.stop();
  }
});

test('process tree: a process that is gone has used nothing', async () => {
  const child = new Child(process.execPath, ['-e', '0']);
  const { pid } = child;
  await child.exited;
  assert.deepEqual(usageOf(pid), { userUs: 0, systemUs: 0, residentKb: 0, peakKb: 0 });
});

test('delay relay: bytes arrive in order, and not before their time', async () => {
  const server = createServer((socket) => socket.pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const relay = await startDelayRelay(address.port, 20);
  try {
    const socket = connect(relay.port, '127.0.0.1').setEncoding('latin1');
    await once(socket, 'connect');
    const begun = performance.now();
    let back = '';
    for (const text of ['a', 'b', 'c']) socket.write(text);
    for await (const chunk of socket) {
      back += String(chunk);
      if (back.length === 3) break;
    }
    // Timers of Node.js may be early by less than 1 ms.
    assert.ok(performance.now() - begun >= 38);
    assert.equal(back, 'abc');
  } finally {
    relay.close();
    server.close();
  }
});

for (const proxy of ['kamaiki', 'kamailio', null] as const) {
  const skip =
    missing('sipp') ?? missing('memcached') ?? (proxy === null ? null : missingContender(proxy)) ?? false;
  test(`call benchmark: calls go well ${proxy === null ? 'without a proxy' : `through ${proxy}`} and leave nothing behind`, {
    skip,
  }, async () => {
    const options = { proxy, cached: true, delayMs: 1, children: 2, callers: 2 };
    await withArrangement(options, async (bench) => {
      const load = { rate: 20, calls: CALLS };
      const result = await (proxy === null ? bench.call(load) : bench.measure(load));
      assert.deepEqual(
        [result.started, result.successful, result.failed, result.refused],
        [CALLS, CALLS, 0, 0],
      );
      assert.ok(result.answerMs >= 50);
      if (proxy !== null) assert.ok(bench.usage().userUs > 0);
      assert.deepEqual(await bench.leftovers(), proxy === null ? null : { keys: 0, active: 0 });
    });
  });
}

test('call benchmark: without memcached operations calls go well too', {
  skip: missing('sipp') ?? false,
}, async () => {
  await withArrangement({ proxy: 'kamaiki', cached: false, children: 1, callers: 1 }, async (bench) => {
    const { successful } = await bench.call({ rate: 20, calls: CALLS, acceptsRefusal: true });
    assert.equal(successful, CALLS);
    assert.equal(await bench.leftovers(), null);
  });
});

for (const onlyRings of [false, true]) {
  test(`UDP load: every call through the proxy rings${onlyRings ? ' and goes on ringing' : ' and ends well'}`, async () => {
    const options = { proxy: 'kamaiki', cached: false, children: 1, callers: 1, withCallee: false } as const;
    await withArrangement(options, async (bench) => {
      const { target, calleePort: callee } = bench;
      const report = await runUdpLoad({ target, callee, rate: 40, calls: CALLS, onlyRings, warmUp: 3 });
      assert.deepEqual([report.ringing, report.ended], [CALLS, onlyRings ? 0 : CALLS]);
      assert.ok(report.medianUs > 0 && report.medianUs <= report.p99Us && report.p99Us <= report.maxUs);
    });
  });
}

test('table: columns are aligned, names to the left and figures to the right', () => {
  const text = table(
    ['', 'calls/s'],
    [
      ['a', '1'],
      ['long name', '2000'],
    ],
  );
  assert.equal(
    text,
    [
      '|           | calls/s |',
      '|-----------|--------:|',
      '| a         |       1 |',
      '| long name |    2000 |',
      '',
    ].join('\n'),
  );
});
