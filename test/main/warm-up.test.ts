import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warmedUp } from '../../core/main/warm-up.ts';
import { Figures } from '../../core/registry/figures.ts';
import { builtinModules } from '../../modules/index.ts';
import { openNodeSocket } from '../../core/transport/datagram-socket.ts';
import { rehearsal } from '../../modules/rehearsal.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { ask, configuration, put, ROUTES, Running } from './program.ts';

/** A proxy that only tells what is asked of it. */
function listedProxy() {
  const steps: string[] = [];
  return {
    steps,
    points: [],
    metrics: new Figures(),
    start: async () => void steps.push('start'),
    stop: async () => void steps.push('stop'),
  };
}

test('warm-up: every call that is asked for goes through to its end, and then the proxy starts', async () => {
  const proxy = listedProxy();
  const log = recordedLog();
  const parts = {
    available: builtinModules,
    rehearsal: () => Promise.resolve(rehearsal),
    log,
    openUdp: openNodeSocket,
  };
  await warmedUp(proxy, { calls: 100, ...parts }).start();
  assert.deepEqual(proxy.steps, ['start']);
  assert.deepEqual(
    log.lines.map(({ level, message, fields }) => [level, message, fields['calls']]),
    [
      ['info', 'warming up', 100],
      ['info', 'warmed up', 100],
    ],
  );
});

test('warm-up: one that fails is told, and the proxy starts all the same', async () => {
  const proxy = listedProxy();
  const log = recordedLog();
  const missing = { modules: [{ name: 'gone', params: {} }], routes: rehearsal.routes };
  const parts = {
    available: builtinModules,
    rehearsal: () => Promise.resolve(missing),
    log,
    openUdp: openNodeSocket,
  };
  await warmedUp(proxy, { calls: 1, ...parts }).start();
  assert.deepEqual(proxy.steps, ['start']);
  const { message, fields } = log.lines[1] ?? assert.fail('nothing was told');
  assert.equal(message, 'the warm-up failed, the proxy starts cold');
  assert.match(String(fields['error']), /'gone'/);
});

test('warm-up: a proxy that is stopped meanwhile does not start', async () => {
  const proxy = listedProxy();
  const parts = {
    available: builtinModules,
    rehearsal: () => Promise.resolve(rehearsal),
    openUdp: openNodeSocket,
    log: recordedLog(),
  };
  const warm = warmedUp(proxy, { calls: 1, ...parts });
  const started = warm.start();
  await warm.stop();
  await started;
  assert.deepEqual(proxy.steps, ['stop']);
});

test('warm-up: comes before ready; nothing of it is counted', async () => {
  const more = 'warm_up: { calls: 60 }\nmetrics: 127.0.0.1:0\n';
  const proxy = new Running('-f', configuration(put(ROUTES, 'ts'), more));
  const port = await proxy.port();
  assert.match(proxy.err, /warmed up calls=60 .*\n(?:.*\n)*.*ready/);
  const [, address] = await proxy.says(/metrics address=(\S+)/);
  assert.equal(await ask(port), 'SIP/2.0 200 first');
  const page = await fetch(address ?? '');
  const counted = /^kamaiki_requests_total\{.*\} [1-9].*$/gm;
  assert.deepEqual((await page.text()).match(counted), ['kamaiki_requests_total{method="OPTIONS"} 1']);
  assert.equal(await proxy.ends('SIGTERM'), 0);
});

test('warm-up: a signal ends the proxy in the midst of it', async () => {
  const proxy = new Running('-f', configuration(put(ROUTES, 'ts'), 'warm_up: { calls: 100000 }\n'));
  await proxy.says(/warming up/);
  assert.equal(await proxy.ends('SIGTERM'), 0);
  assert.doesNotMatch(proxy.err, /ready/);
});
