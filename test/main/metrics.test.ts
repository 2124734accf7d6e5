import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { metered } from '../../core/main/metered.ts';
import { Figures } from '../../core/registry/figures.ts';
import { gate } from '../gate.ts';
import { freePort } from '../programs/free-port.ts';
import { acceptsTcp } from '../programs/ports.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { configuration, kamaiki, put, ROUTES, Running } from './program.ts';

const ON = 'metrics: 127.0.0.1:0\n';

async function addressOf(proxy: Running): Promise<string> {
  const [, address] = await proxy.says(/metrics address=(http:\S+)/);
  return address ?? assert.fail();
}

test('metrics: nothing of it is there unless it is asked for', async () => {
  const proxy = new Running('-f', configuration(put(ROUTES, 'ts')));
  await proxy.port();
  assert.equal(await proxy.ends('SIGTERM'), 0);
  assert.doesNotMatch(proxy.err, /metrics/);
});

test('metrics: a running proxy shows its figures, also after its routes were reloaded, and frees the port when it stops', async () => {
  const proxy = new Running('-f', configuration(put(ROUTES, 'ts'), ON));
  const address = await addressOf(proxy);
  await proxy.port();
  assert.match(await (await fetch(address)).text(), /^kamaiki_requests_total\{method="INVITE"\} 0$/m);
  proxy.child.kill('SIGHUP');
  await proxy.says(/routes reloaded/);
  assert.equal((await fetch(address)).status, 200);
  assert.equal(await proxy.ends('SIGTERM'), 0);
  await assert.rejects(fetch(address));
});

test('metrics: an address that is in use is exit code 1, with the place of the key; the proxy does not start', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const address = other.address();
  assert.ok(address !== null && typeof address === 'object');
  const file = configuration(put(ROUTES, 'ts'), `metrics: 127.0.0.1:${address.port}\n`);
  const { code, err } = kamaiki('-f', file);
  assert.equal(code, 1);
  // ERR_METRICS_LISTEN
  assert.match(
    err,
    new RegExp(`^${file}:5:10: metrics: cannot listen on 127\\.0\\.0\\.1:${address.port}: .*EADDRINUSE.*\n$`),
  );
});

test('metrics: -c checks the address without listening at it', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const address = other.address();
  assert.ok(address !== null && typeof address === 'object');
  const routes = put(ROUTES, 'ts');
  assert.equal(kamaiki('-c', '-f', configuration(routes, `metrics: 127.0.0.1:${address.port}\n`)).code, 0);
  assert.equal(kamaiki('-c', '-f', configuration(routes, 'metrics: 9090\n')).code, 1);
});

/** A proxy that starts and stops when the test says so, and where it shows its figures. */
async function held() {
  const starting = gate();
  const stopping = gate();
  const proxy = {
    points: [],
    metrics: new Figures(),
    start: () => starting.opened,
    stop: () => stopping.opened,
  };
  const port = await freePort();
  const settings = { host: '127.0.0.1', port, place: { file: 'k.yaml', line: 1, column: 1 } };
  const origin = `http://127.0.0.1:${port}`;
  return { starting, stopping, origin, served: metered(proxy, settings, recordedLog()) };
}

test('metrics: /health tells when the proxy takes calls: not while it starts or stops', async () => {
  const { starting, stopping, origin, served } = await held();
  const health = async () => (await fetch(`${origin}/health`)).status;
  const started = served.start();
  // The server listens from the next turns of the event loop on.
  while (!(await acceptsTcp(Number(new URL(origin).port)))) await setImmediate();
  assert.equal(await health(), 503);
  starting.open();
  await started;
  assert.equal(await health(), 200);
  const stopped = served.stop();
  assert.equal(await health(), 503);
  stopping.open();
  await stopped;
  await assert.rejects(health());
});

test('metrics: a proxy that does not start leaves no server behind', async () => {
  const port = await freePort();
  const settings = { host: '127.0.0.1', port, place: { file: 'k.yaml', line: 1, column: 1 } };
  const failing = {
    points: [],
    metrics: new Figures(),
    start: () => Promise.reject(new Error('address in use')),
    stop: () => Promise.resolve(),
  };
  await assert.rejects(metered(failing, settings, recordedLog()).start(), /address in use/);
  assert.equal(await acceptsTcp(port), false);
});
