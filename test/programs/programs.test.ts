import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Child, PATIENCE_MS } from './child.ts';
import { freePort } from './free-port.ts';
import { startKamailio } from './kamailio.ts';
import { startMemcached } from './memcached.ts';
import { missing } from './missing.ts';
import { startProxy } from './proxy.ts';
import { acceptsTcp, isUdpPortBound } from './ports.ts';
import { runSipp, startSipp } from './sipp.ts';

function node(script: string): Child {
  return new Child(process.execPath, ['-e', script]);
}

/** Whether a process runs; one that has ended and is yet to be reaped does not. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Runs `use` with the environment variables changed, and puts them back. */
function withEnvironment(changes: Readonly<Record<string, string>>, use: () => void): void {
  const before = Object.keys(changes).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, changes);
  try {
    use();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

test('child: gives output by line, and the exit code', async () => {
  const child = node('console.log("one\\ntwo"); console.error("three"); process.exitCode = 7');
  assert.deepEqual(await child.exited, { code: 7, signal: null });
  assert.deepEqual([child.out, child.err], [['one', 'two'], ['three']]);
});

test('child: waiting ends with the last lines when the program ends first', async () => {
  const child = node('console.log("bad option"); process.exit(3)');
  await assert.rejects(
    child.until('the impossible', () => null),
    /exit code 3\) before the impossible.*\nbad option/s,
  );
});

test('child: waiting ends after the time given', async () => {
  const child = node('setInterval(() => {}, 1000)');
  await assert.rejects(
    child.until('the impossible', () => null, 50),
    /no the impossible within 50 ms/,
  );
  await child.stop();
});

test('child: a program that does not exist is an exit without code, and says why', async () => {
  const child = new Child('kamaiki-no-such-program', []);
  assert.deepEqual(await child.exited, { code: null, signal: null });
  assert.match(child.err.join(), /could not be started: .*ENOENT/);
});

test('child: stop kills a program that ignores SIGTERM', async () => {
  const child = node('process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")');
  await child.until('its first line', () => child.out.length > 0);
  assert.deepEqual(await child.stop(50), { code: null, signal: 'SIGKILL' });
});

test('child: stop ends a program that was paused', async () => {
  const child = node('setInterval(() => {}, 1000); console.log("up")');
  await child.until('its first line', () => child.out.length > 0);
  child.signal('SIGSTOP');
  assert.deepEqual(await child.stop(), { code: null, signal: 'SIGTERM' });
});

for (const ending of [
  'process.exit(1)',
  'throw new Error("fault")',
  'process.kill(process.pid, "SIGTERM")',
]) {
  test(`child: programs and what they started die with the test: ${ending}`, async () => {
    const module = JSON.stringify(fileURLToPath(new URL('./child.js', import.meta.url)));
    // A shell in between: the grandchild must die too.
    const script = `import { Child } from ${module};
      const child = new Child('sh', ['-c', 'sleep 600 & echo $!; wait']);
      await child.until('pid', () => child.out.length > 0);
      console.log(child.pid + ' ' + child.out[0]);
      ${ending}; await new Promise((r) => setTimeout(r, 10000));`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    const pids = run.stdout.trim().split(' ').map(Number);
    assert.equal(pids.length, 2, run.stderr);
    const watch = node('setInterval(() => {}, 1000)');
    await watch.until('end of the programs', () => !pids.some(isAlive));
    await watch.stop();
  });
}

test('child: programs die with the test when nobody reads its results any more', async () => {
  const module = JSON.stringify(fileURLToPath(new URL('./child.js', import.meta.url)));
  const script = `import { test } from 'node:test';
    import { Child } from ${module};
    const child = new Child('sleep', ['600']);
    process.stderr.write(child.pid + '\\n');
    test('endless', async (t) => {
      for (;;) await t.test('part', () => new Promise((r) => setTimeout(r, 20)));
    });`;
  const run = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [pid]: Buffer[] = await once(run.stderr, 'data');
  run.stdout.destroy();
  await once(run, 'exit', { signal: AbortSignal.timeout(PATIENCE_MS) });
  const watch = node('setInterval(() => {}, 1000)');
  await watch.until('end of the program', () => !isAlive(Number(pid)));
  await watch.stop();
});

test('free port: differs from one that is in use, and can be bound', async () => {
  const port = await freePort();
  assert.equal(isUdpPortBound(port), false);
  assert.equal(await acceptsTcp(port), false);
});

test('missing: names a program that is not in PATH', () => {
  withEnvironment({ PATH: '/nowhere', KAMAIKI_REQUIRE_PEERS: '' }, () => {
    const expected = existsSync('/usr/sbin/memcached') ? null : 'memcached is not installed';
    assert.equal(missing('memcached'), expected);
  });
});

test('missing: is an error where all peers are required', () => {
  withEnvironment({ PATH: '/nowhere', KAMAIKI_REQUIRE_PEERS: '1' }, () => {
    assert.throws(() => missing('sipp'), /sipp is not installed, and KAMAIKI_REQUIRE_PEERS asks for it/);
  });
});

test('memcached: answers, stands still when paused, and comes back on its port', {
  skip: missing('memcached') ?? false,
}, async () => {
  const first = await startMemcached();
  const socket = connect(first.port, '127.0.0.1');
  socket.write('version\r\n');
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^VERSION /);
  socket.destroy();
  first.pause();
  first.resume();
  assert.deepEqual(await first.kill(), { code: null, signal: 'SIGKILL' });
  const second = await startMemcached({ port: first.port });
  assert.equal(second.server, `127.0.0.1:${first.port}`);
  assert.equal((await second.stop()).signal ?? 'exit', 'exit');
});

test('memcached: an option it refuses is an error that shows what it said', {
  skip: missing('memcached') ?? false,
}, async () => {
  await assert.rejects(
    startMemcached({ args: ['-m', 'nonsense', '-t', '-1'] }),
    /memcached ended .* before connection/,
  );
});

test('sipp: two of them call each other', { skip: missing('sipp') ?? false }, async () => {
  const port = await freePort();
  const uas = await startSipp({ scenario: 'uas', port, calls: 20 });
  const uac = await runSipp({ scenario: 'uac', target: `127.0.0.1:${port}`, calls: 20, rate: 200 });
  assert.deepEqual([uac.code, uac.successful, uac.failed], [0, 20, 0], uac.errors);
  assert.equal((await uas.result).code, 0);
});

test('sipp: a call that nobody answers is counted as failed', {
  skip: missing('sipp') ?? false,
}, async () => {
  const target = `127.0.0.1:${await freePort()}`;
  const uac = await runSipp({ scenario: 'uac', target, calls: 1, args: ['-recv_timeout', '300'] });
  assert.deepEqual([uac.code, uac.successful, uac.failed], [1, 0, 1], uac.errors);
});

test('sipp: a run is ended after its time limit', { skip: missing('sipp') ?? false }, async () => {
  const uas = await runSipp({ scenario: 'uas', port: await freePort(), limitMs: 100 });
  assert.equal(uas.code, null);
});

const CFG = (port: number): string => `
listen=udp:127.0.0.1:${port}
log_stderror=yes
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xlog.so"
request_route {
  xlog("L_ERR", "seen $rm\\n");
  sl_send_reply("200", "OK");
}
`;

test('kamailio: starts, logs and stops', {
  skip: missing('kamailio') ?? missing('sipp') ?? false,
}, async () => {
  const kamailio = await startKamailio(CFG(await freePort()));
  const target = `127.0.0.1:${kamailio.port}`;
  const uac = runSipp({ scenario: 'uac', target, calls: 1, args: ['-recv_timeout', '5000'] });
  assert.match(await kamailio.waitForLog(/seen INVITE/), /seen INVITE/);
  await uac;
  assert.deepEqual(await kamailio.stop(), { code: 0, signal: null });
});

test('kamailio: a configuration it refuses is an error that shows what it said', {
  skip: missing('kamailio') ?? false,
}, async () => {
  const cfg = `${CFG(await freePort())}\nnonsense`;
  await assert.rejects(startKamailio(cfg), /kamailio ended .*parse error/s);
});

const ROUTES = `import { defineRoutes } from 'kamaiki';
export default defineRoutes({ uses: ['sl'], request({ ksr }) { ksr.sl.sl_send_reply(200, 'OK'); } });
`;

test('proxy: starts in a folder of its own, tells its addresses and its log, and stops', async () => {
  const proxy = await startProxy({
    yaml: 'listen: ["udp:127.0.0.1:0", "udp:[::1]:0"]\nmodules: { sl: {} }',
    routes: ROUTES,
  });
  const [first, second] = proxy.addresses;
  assert.match(first ?? '', /^udp:127\.0\.0\.1:\d+$/);
  assert.match(second ?? '', /^udp:\[::1\]:\d+$/);
  assert.equal(first, `udp:127.0.0.1:${proxy.port}`);
  assert.ok(isUdpPortBound(proxy.port));
  assert.equal(
    (await proxy.waitForLog(/^ready/)).level,
    proxy.log().find(({ message }) => message === 'ready')?.level,
  );
  assert.deepEqual(await proxy.stop(), { code: 0, signal: null });
});

test('proxy: a start that fails shows what the proxy said', async () => {
  await assert.rejects(
    startProxy({ yaml: 'listen: ["udp:127.0.0.1:0"]\nmodules: { slow: {} }', routes: ROUTES }),
    /ended \(exit code 1\) before log line 'ready'.*kamailio\.yaml:2:/s,
  );
});
