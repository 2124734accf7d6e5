import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { test } from 'node:test';
import { Authority } from '../programs/certificates.ts';
import { missing } from '../programs/missing.ts';
import { ask, configuration, kamaiki, put, root, ROUTES, Running, SHIPPED } from './program.ts';

test('cli: says ready once, with the address, whatever the log level; SIGTERM gives exit code 0', async () => {
  const proxy = new Running('-f', configuration(put(ROUTES, 'ts'), 'log: { level: error }\n'));
  const port = await proxy.port();
  assert.equal(await ask(port), 'SIP/2.0 200 first');
  assert.equal(await proxy.ends('SIGTERM'), 0);
  assert.equal(proxy.err.trimEnd().split('\n').length, 1);
  assert.match(proxy.err, new RegExp(`^\\S+Z NOTICE ready listen=udp:127\\.0\\.0\\.1:${port}\n$`));
});

test("cli: -l listens at other addresses than the file's", async () => {
  const proxy = new Running(
    '-f',
    configuration(put(ROUTES, 'ts')),
    '-l',
    'udp:127.0.0.1:0',
    '-l',
    'udp:[::1]:0',
  );
  await proxy.says(/ready listen="udp:127\.0\.0\.1:\d+ udp:\[::1\]:\d+"/);
  assert.equal(await proxy.ends('SIGINT'), 0);
});

test('cli: an address that is in use is exit code 1', async () => {
  const proxy = new Running('-f', configuration(put(ROUTES, 'ts')));
  const port = await proxy.port();
  const { code, err } = kamaiki('-f', configuration(put(ROUTES, 'ts')), '-l', `udp:127.0.0.1:${port}`);
  assert.equal(await proxy.ends('SIGTERM'), 0);
  assert.equal(code, 1);
  assert.match(err, new RegExp(`^.*udp:127\\.0\\.0\\.1:${port}.*EADDRINUSE`));
});

test('cli: a SIGHUP while the proxy starts is heard once it is ready', async () => {
  const go = join(root, 'go');
  const proxy = new Running(
    '-f',
    configuration(
      put(
        `import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
console.error('loading');
while (!existsSync(${JSON.stringify(go)})) await setTimeout(5);
${ROUTES}`,
        'ts',
      ),
    ),
  );
  await proxy.says(/loading/);
  proxy.child.kill('SIGHUP');
  writeFileSync(go, '');
  await proxy.says(/ready[^]*routes reloaded/);
  assert.equal(await proxy.ends('SIGTERM'), 0);
});

test('cli: SIGHUP loads new routes; a broken file is reported and the routes before stay', async () => {
  const routes = put(ROUTES, 'ts');
  const proxy = new Running('-f', configuration(routes));
  const port = await proxy.port();
  writeFileSync(routes, ROUTES.replace('first', 'second'));
  proxy.child.kill('SIGHUP');
  await proxy.says(/routes reloaded/);
  assert.equal(await ask(port), 'SIP/2.0 200 second');

  writeFileSync(routes, 'export default {{');
  proxy.child.kill('SIGHUP');
  await proxy.says(new RegExp(`${routes}:1:17: syntax error`));
  assert.equal(await ask(port), 'SIP/2.0 200 second');

  writeFileSync(routes, ROUTES.replace("['sl']", "['sl', 'tm']"));
  proxy.child.kill('SIGHUP');
  await proxy.says(/routes use module 'tm', which is not loaded/);
  assert.equal(await ask(port), 'SIP/2.0 200 second');

  writeFileSync(routes, ROUTES.replace('{ ksr }) {', "{ ksr }) {\n  ksr.tm.t_on_failure('busy');"));
  proxy.child.kill('SIGHUP');
  await proxy.says(new RegExp(`${routes}:3:10: request calls t_on_failure`));
  assert.equal(await ask(port), 'SIP/2.0 200 second');
  assert.equal(await proxy.ends('SIGTERM'), 0);
});

test('cli: routes with an await that never ends are reported, exit code 1', () => {
  const routes = put(`await new Promise(() => undefined);\n${ROUTES}`, 'ts');
  const { code, err } = kamaiki('-f', configuration(routes, 'limits: { start_timeout: 1 }\n'));
  assert.equal(code, 1);
  assert.match(err, new RegExp(`^${routes}:1:1: cannot be loaded: an await`));
});

test('cli: SIGHUP loads new certificates; one that is no good is reported and the one before stays', {
  skip: missing('openssl') ?? false,
}, async () => {
  const authority = new Authority();
  const file = { certificate: put('', 'pem'), key: put('', 'pem') };
  const issue = (name: string): void => {
    const { certificate, privateKey } = authority.issue(`DNS:${name}`);
    writeFileSync(file.certificate, certificate);
    writeFileSync(file.key, privateKey);
  };
  issue('first.test');
  const yaml = `listen: ["tls:127.0.0.1:0"]\nroutes: ${put(ROUTES, 'ts')}\nmodules: { sl: {} }
tls: { certificate: ${file.certificate}, private_key: ${file.key} }\n`;
  const proxy = new Running('-f', put(yaml, 'yaml'));
  const [, port] = await proxy.says(/ready listen=tls:127\.0\.0\.1:(\d+)/);
  assert.equal(await certificateAt(Number(port)), 'DNS:first.test');

  issue('second.test');
  proxy.child.kill('SIGHUP');
  await proxy.says(/certificates reloaded/);
  assert.equal(await certificateAt(Number(port)), 'DNS:second.test');

  writeFileSync(file.key, 'no key');
  proxy.child.kill('SIGHUP');
  await proxy.says(new RegExp(`:4:\\d+: '${file.key}' is no PEM file that TLS can use`));
  await proxy.says(/certificates not reloaded[^]*routes reloaded/);
  assert.equal(await certificateAt(Number(port)), 'DNS:second.test');
  assert.equal(await proxy.ends('SIGTERM'), 0);
});

/** The names in the certificate that a port of 127.0.0.1 shows. */
async function certificateAt(port: number): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subjectaltname } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname;
}

test('cli: call places a call through the shipped proxy, and shows state and counter', async () => {
  const proxy = new Running('-f', SHIPPED, '-l', 'udp:127.0.0.1:0');
  const port = await proxy.port();
  const { code, out, err } = kamaiki('call', '--proxy', `127.0.0.1:${port}`);
  assert.deepEqual([code, err], [0, ''], out);
  assert.match(out, /before: active calls 0, state cached of this call: none\n/);
  assert.match(out, /during: active calls 1, state cached of this call: 127\.0\.0\.1\n/);
  assert.match(out, /after: active calls 0, state cached of this call: none\n/);
  for (const step of ['INVITE', '180 Ringing', '200 OK', 'ACK', 'BYE']) assert.ok(out.includes(step), step);
  assert.equal(await proxy.ends('SIGTERM'), 0);
});

test('cli: call says so when nothing answers, exit code 1', async () => {
  const socket = createSocket('udp4');
  try {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    assert.deepEqual(kamaiki('call', '--proxy', `127.0.0.1:${port}`), {
      code: 1,
      out: '',
      err: `nothing answers OPTIONS at udp:127.0.0.1:${port}: is the proxy running?\n`,
    });
  } finally {
    socket.close();
  }
});

test('cli: call says so when the routes show no state, exit code 1', async () => {
  const proxy = new Running('-f', configuration(put(ROUTES, 'ts')));
  const { code, err } = kamaiki('call', '--proxy', `127.0.0.1:${await proxy.port()}`);
  assert.equal(await proxy.ends('SIGTERM'), 0);
  assert.equal(code, 1);
  assert.match(err, /no X-Active-Calls and X-Call-State/);
});

test('cli: an error thrown in a handler is logged with file and line of the TypeScript source, and answered with 500', async () => {
  const routes = put(
    `import { defineRoutes } from 'kamaiki';
interface Box { readonly text?: string }

export default defineRoutes({
  uses: [],
  request() {
    const box: Box = {};
    throw new Error('no text: ' + box.text);
  },
});`,
    'ts',
  );
  const proxy = new Running('-f', configuration(routes));
  assert.match(await ask(await proxy.port()), /^SIP\/2\.0 500 /);
  await proxy.says(new RegExp(`ERROR .*${routes}:8`));
  assert.equal(await proxy.ends('SIGTERM'), 0);
});
