import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Authority } from '../programs/certificates.ts';
import { type Memcached, startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { type Proxy, spawnProxy, startProxy } from '../programs/proxy.ts';
import { tempFolder } from '../programs/temp-folder.ts';
import { callConfiguration, callRoutes } from './call-routes.ts';
import { ask } from './sip-client.ts';

const skip = missing('memcached-tls') ?? missing('openssl') ?? false;
const PASSWORD = 'not-for-the-log';

/** A folder with a password, a CA, and a memcached that has a certificate of it and asks for the password. */
async function guarded(t: TestContext): Promise<{
  readonly folder: string;
  readonly start: (port?: number) => Promise<Memcached>;
  readonly ca: string;
}> {
  const folder = tempFolder();
  writeFileSync(join(folder, 'users'), `proxy:${PASSWORD}\n`);
  writeFileSync(join(folder, 'password'), `${PASSWORD}\n`);
  const authority = new Authority();
  const { certificateFile, keyFile } = authority.issue('IP:127.0.0.1');
  const tls = ['-Z', '-o', `ssl_chain_cert=${certificateFile},ssl_key=${keyFile}`];
  const args = [...tls, '-Y', join(folder, 'users')];
  const start = async (port?: number): Promise<Memcached> => {
    const memcached = await startMemcached(port === undefined ? { args } : { port, args });
    t.after(() => memcached.kill());
    return memcached;
  };
  return { folder, start, ca: authority.certificateFile };
}

function yamlOf(parameters: string): string {
  return `${callConfiguration().trimEnd()}\n  memcached: { ${parameters} }\n`;
}

const ROUTES = callRoutes('127.0.0.1:9', { cached: true });

/** What the route gets back for a key that it has just written. */
async function probe(proxy: Proxy): Promise<string | undefined> {
  const reply = await ask(proxy.port, { method: 'OPTIONS', user: 'probe' });
  assert.match(reply, /^SIP\/2\.0 200 /);
  return /^X-Value: (.*)\r$/m.exec(reply)?.[1];
}

test('memcached access: a proxy reaches a store with TLS and a password from a file or the environment, again after it was restarted, and logs no secret', {
  skip,
}, async (t) => {
  const { folder, start, ca } = await guarded(t);
  for (const password of [`\${file:${folder}/password}`, '${MC_PASSWORD}']) {
    const memcached = await start();
    const access = `tls: true, tls_ca_list: "${ca}", user: proxy, password: "${password}"`;
    const proxy = await startProxy({
      yaml: yamlOf(`servers: "${memcached.server}", ${access}`).replace('level: info', 'level: debug'),
      routes: ROUTES,
      env: { MC_PASSWORD: PASSWORD },
    });
    t.after(() => proxy.stop());
    assert.match((await probe(proxy)) ?? '', /@127\.0\.0\.1$/);
    await memcached.kill();
    assert.equal(await probe(proxy), 'null');
    await proxy.waitForLog(/is down: /);
    await start(memcached.port);
    await proxy.waitForLog(/answers again$/);
    assert.match((await probe(proxy)) ?? '', /@127\.0\.0\.1$/);
    assert.doesNotMatch(JSON.stringify(proxy.log()), new RegExp(PASSWORD));
  }
});

test('memcached access: with a wrong password the proxy serves, says why the store is down, and logs no secret', {
  skip,
}, async (t) => {
  const { start, ca } = await guarded(t);
  const memcached = await start();
  const proxy = await startProxy({
    yaml: yamlOf(
      `servers: "${memcached.server}", tls: true, tls_ca_list: "${ca}", user: proxy, password: "${PASSWORD}-wrong"`,
    ),
    routes: ROUTES,
  });
  t.after(() => proxy.stop());
  assert.equal(await probe(proxy), 'null');
  await proxy.waitForLog(/^memcached \S+ is down: it refuses user and password; /);
  assert.doesNotMatch(JSON.stringify(proxy.log()), new RegExp(PASSWORD));
});

test('memcached access: a secret that is not there keeps the proxy from starting, with file, line and name', async () => {
  for (const [password, expected] of [
    ['${MC_GONE}', /kamailio\.yaml:\d+:\d+: environment variable MC_GONE is not set/],
    [
      '${file:gone/password}',
      /kamailio\.yaml:\d+:\d+: the file of \$\{file:gone\/password\} cannot be read: ENOENT/,
    ],
  ] as const) {
    const { child } = spawnProxy({ yaml: yamlOf(`user: proxy, password: "${password}"`), routes: ROUTES });
    const { code } = await child.exited;
    assert.equal(code, 1);
    assert.match(child.err.join('\n'), expected);
  }
});
