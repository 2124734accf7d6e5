import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from '../architecture/source-files.ts';
import { limitsOf } from '../memcached/limits-rig.ts';
import { clientOf } from '../memcached/rig.ts';
import { Child } from '../programs/child.ts';
import { freePort } from '../programs/free-port.ts';
import { type Memcached, startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { type Proxy, startProxy } from '../programs/proxy.ts';
import { ask } from '../scenarios/sip-client.ts';
import { mostAtOnce } from './at-once.ts';

const skip = missing('memcached') ?? false;

const MAX_CALLS = 10;
const LEASE_S = 2;
/** What operations of one transaction wait for memcached at most, ms (parameter `budget`). */
const BUDGET_MS = 1000;
/** Calls that each phase of a run waits for. */
const SOME_CALLS = 100;
/** The customer of config/examples/call-limit.ts that this machine is. */
const CUSTOMER = 'here';

/** The shipped example, with short leases and room for more calls. */
function routes(): string {
  const text = readFileSync(join(ROOT, 'config/examples/call-limit.ts'), 'utf8');
  const changed = text
    .replace(`name: '${CUSTOMER}', calls: 2`, `name: '${CUSTOMER}', calls: ${MAX_CALLS}`)
    .replace(/LEASE_S = \d+/, `LEASE_S = ${LEASE_S}`);
  assert.match(changed, new RegExp(`calls: ${MAX_CALLS} }[^]*LEASE_S = ${LEASE_S};`));
  return changed;
}

async function proxyAt(t: TestContext, port: number, memcached: Memcached): Promise<Proxy> {
  const proxy = await startProxy({
    yaml: `listen: ["udp:127.0.0.1:${port}"]
modules: { pv: {}, sl: {}, tm: {}, rr: {}, maxfwd: {}, siputils: {}, memcached: { servers: "${memcached.server}" } }`,
    routes: routes(),
  });
  t.after(() => proxy.stop());
  return proxy;
}

interface Cluster {
  readonly memcached: Memcached;
  readonly one: Proxy;
  readonly two: Proxy;
  /** Calls all the time through both. */
  readonly load: Child;
}

async function startCluster(t: TestContext): Promise<Cluster> {
  const memcached = await startMemcached();
  t.after(() => memcached.kill());
  const ports = [await freePort(), await freePort()] as const;
  const [one, two] = await Promise.all([proxyAt(t, ports[0], memcached), proxyAt(t, ports[1], memcached)]);
  const script = join(import.meta.dirname, 'call-load-process.js');
  const load = new Child(process.execPath, [script, ...ports.map(String)]);
  t.after(() => load.signal('SIGKILL'));
  return { memcached, one, two, load };
}

/** Waits for more calls that came through, by each of these ports. */
async function moreCalls(load: Child, ports: readonly number[]): Promise<void> {
  const seen = load.out.length;
  await load.until(`${SOME_CALLS} more calls by each of ${ports.join(' and ')}`, () =>
    ports.every((port) => {
      const through = load.out
        .slice(seen)
        .filter((line) => line.startsWith('+') && line.endsWith(` ${port}`));
      return through.length >= SOME_CALLS;
    }),
  );
}

/** Ends the load, and asserts that calls of each kind were let through and that, once all leases are over, none is left. */
async function endsAtTruth(
  t: TestContext,
  {
    load,
    ports,
    memcached,
  }: { readonly load: Child; readonly ports: readonly number[]; readonly memcached: Memcached },
): Promise<void> {
  assert.equal((await load.stop(20_000)).code, 0, load.err.join('\n'));
  for (const kind of ['plain', 'again', 'forked', 'lost']) {
    assert.ok(
      load.out.some((line) => line.includes(` ${kind} `)),
      `no call of the kind ${kind}`,
    );
  }
  // What was sent before is taken before this is answered, and then decided within the budget.
  await Promise.all(ports.map((port) => ask(port, { method: 'OPTIONS', user: 'nobody' })));
  await delay(BUDGET_MS + LEASE_S * 1000 + 1);
  const { port } = memcached;
  const { leases } = limitsOf(t, clientOf(t, [{ kind: 'tcp', host: '127.0.0.1', port }]));
  assert.deepEqual(await leases.active(CUSTOMER, {}), { status: 'done', active: 0 });
}

test('cluster leases: lost BYEs, retransmissions, forks and a proxy that is killed leave the limit as it is, and no count behind', {
  skip,
}, async (t) => {
  const { memcached, one, two, load } = await startCluster(t);
  await moreCalls(load, [one.port, two.port]);
  one.signal('SIGKILL');
  await one.exited;
  await moreCalls(load, [two.port]);
  const again = await proxyAt(t, one.port, memcached);
  await moreCalls(load, [again.port, two.port]);
  await endsAtTruth(t, { load, ports: [again.port, two.port], memcached });
  const most = mostAtOnce(load.out, LEASE_S);
  assert.ok(most <= MAX_CALLS && most > MAX_CALLS / 2, `${most} calls at one time`);
});

test('cluster leases: memcached killed and started again lets through so many calls more as the documentation says, and leaves no count behind', {
  skip,
}, async (t) => {
  const { memcached, one, two, load } = await startCluster(t);
  const ports = [one.port, two.port];
  await moreCalls(load, ports);
  await memcached.kill();
  await moreCalls(load, ports);
  const again = await startMemcached({ port: memcached.port });
  t.after(() => again.kill());
  await moreCalls(load, ports);
  await endsAtTruth(t, { load, ports, memcached: again });
  // While it is down each proxy counts alone, and those that it finds when it is back count on.
  const most = mostAtOnce(load.out, LEASE_S);
  assert.ok(most <= ports.length * MAX_CALLS && most > MAX_CALLS / 2, `${most} calls at one time`);
});
