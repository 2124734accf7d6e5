import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { MetricsEndpoint } from '../../core/main/metrics-endpoint.ts';
import { text } from 'node:stream/consumers';

const place = { file: 'kamailio.yaml', line: 2, column: 10 };
/** Bounds that a test reaches soon; those of a running proxy are larger. */
const BOUNDS = { maxConnections: 3, requestTimeoutMs: 200, idleTimeoutMs: 60_000 };

interface Setting {
  readonly host?: string;
  readonly ready?: boolean;
  readonly text?: () => Promise<string>;
  readonly bounds?: typeof BOUNDS;
}

/** An endpoint that listens until the test ends, and its address. */
async function listening(
  t: TestContext,
  { host = '127.0.0.1', ready = true, text: shown = () => Promise.resolve('x 1\n'), bounds }: Setting = {},
): Promise<URL> {
  const endpoint = new MetricsEndpoint(
    { host, port: 0, place },
    { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: shown, isReady: () => ready },
    bounds,
  );
  t.after(() => endpoint.close());
  return new URL(await endpoint.start());
}

for (const host of ['127.0.0.1', '::1', 'localhost']) {
  test(`metrics endpoint: /metrics gives the figures as Prometheus expects them, at ${host}`, async (t) => {
    const response = await fetch(await listening(t, { host }));
    assert.deepEqual(
      [response.status, response.headers.get('content-type'), await response.text()],
      [200, 'text/plain; version=0.0.4; charset=utf-8', 'x 1\n'],
    );
  });
}

test('metrics endpoint: a query behind the path does not matter', async (t) => {
  const response = await fetch(`${(await listening(t)).href}?name=x`);
  assert.equal(response.status, 200);
});

for (const [ready, status] of [
  [true, 200],
  [false, 503],
] as const) {
  test(`metrics endpoint: /health is ${status} while the proxy ${ready ? 'takes' : 'does not take'} calls`, async (t) => {
    assert.equal((await fetch(new URL('/health', await listening(t, { ready })))).status, status);
  });
}

test('metrics endpoint: HEAD is GET without the text', async (t) => {
  const at = await listening(t);
  for (const path of ['/metrics', '/health']) {
    const response = await fetch(new URL(path, at), { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.notEqual(response.headers.get('content-length'), '0');
    assert.equal(await response.text(), '');
  }
});

test('metrics endpoint: other paths are 404', async (t) => {
  const at = await listening(t);
  for (const path of ['/', '/metrics/', '/metricsx', '/../metrics2', '//'])
    assert.equal((await fetch(at.origin + path)).status, 404, path);
});

for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
  test(`metrics endpoint: ${method} is 405 and told what is allowed`, async (t) => {
    const response = await fetch(await listening(t), { method });
    assert.deepEqual([response.status, response.headers.get('allow')], [405, 'GET, HEAD']);
  });
}

test('metrics endpoint: figures that cannot be had are 500', async (t) => {
  const at = await listening(t, { text: () => Promise.reject(new Error('broken')) });
  assert.equal((await fetch(at)).status, 500);
});

function open(t: TestContext, at: URL): Socket {
  const socket = connect(Number(at.port), '127.0.0.1');
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

test('metrics endpoint: a connection has one request, whatever its client asks for', async (t) => {
  const socket = open(t, await listening(t));
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n');
  const answer = await text(socket); // until the server ends it
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer, /\r\nConnection: close\r\n/);
});

test('metrics endpoint: a request that does not arrive in time ends its connection', async (t) => {
  const socket = open(t, await listening(t, { bounds: BOUNDS }));
  socket.write('GET /metrics HTTP/1.1\r\nHost:');
  assert.match(await text(socket), /^HTTP\/1\.1 408 /);
});

test('metrics endpoint: a body that does not arrive in time ends its connection', async (t) => {
  const socket = open(t, await listening(t, { bounds: BOUNDS }));
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n');
  assert.match(await text(socket), /^HTTP\/1\.1 200 /);
});

test('metrics endpoint: connections that ask for nothing keep nobody out: the oldest makes room', async (t) => {
  const at = await listening(t, { bounds: { ...BOUNDS, requestTimeoutMs: 60_000 } });
  const held: Socket[] = [];
  for (let i = 0; i < BOUNDS.maxConnections; i++) {
    const socket = open(t, at);
    held.push(socket);
    await once(socket, 'connect');
  }
  const [oldest] = held;
  // Perhaps with a reset, which is an error of its own.
  const closed = new Promise((resolve) => oldest?.resume().once('close', resolve));
  assert.equal((await fetch(at)).status, 200);
  await closed;
  assert.equal(held.filter((socket) => !socket.closed).length, BOUNDS.maxConnections - 1);
});

test('metrics endpoint: a head that is too large is refused', async (t) => {
  const socket = open(t, await listening(t));
  socket.write(`GET /metrics HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
  assert.match(await text(socket), /^HTTP\/1\.1 431 /);
});

test('metrics endpoint: an address that is taken is told with its place in the file', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const address = other.address();
  assert.ok(address !== null && typeof address === 'object');
  const endpoint = new MetricsEndpoint(
    { host: '127.0.0.1', port: address.port, place },
    { contentType: '', text: () => Promise.resolve(''), isReady: () => true },
  );
  await assert.rejects(endpoint.start(), {
    code: 'ERR_METRICS_LISTEN',
    message: new RegExp(
      `^kamailio\\.yaml:2:10: metrics: cannot listen on 127\\.0\\.0\\.1:${address.port}: .*EADDRINUSE`,
    ),
  });
  await endpoint.close(); // nothing to close
});

test('metrics endpoint: closing ends connections that hold on, and frees the port', async (t) => {
  const endpoint = new MetricsEndpoint(
    { host: '127.0.0.1', port: 0, place },
    { contentType: '', text: () => Promise.resolve(''), isReady: () => true },
  );
  const at = new URL(await endpoint.start());
  const socket = open(t, at);
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  socket.resume();
  await Promise.all([endpoint.close(), closed]);
  await assert.rejects(fetch(at));
});
