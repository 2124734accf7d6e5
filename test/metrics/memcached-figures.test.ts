import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Exposition } from '../../core/main/exposition.ts';
import { PROBE_MIN_MS } from '../../modules/memcached/breaker.ts';
import { memcached } from '../../modules/memcached/memcached.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { defaultParams } from '../memcached/default-params.ts';
import { FakeServer } from '../memcached/fake-server.ts';
import { callOf, fakeCore, request } from '../modules/fake-core.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { scraped } from './scraped.ts';

const TIMEOUT_MS = 250;
const { read, decrement, acquire, distinct, rate } = memcached.functions;

/** The module, started with a server whose bytes the test writes, on a clock that the test moves. */
async function started(t: TestContext, params: Partial<ReturnType<typeof defaultParams>> = {}) {
  const server = await FakeServer.start(t);
  const { address } = server;
  const name = address.kind === 'tcp' ? `${address.host}:${address.port}` : '';
  const clock = new FakeClock();
  const core = { ...fakeCore(), clock };
  const state = memcached.init({
    params: { ...defaultParams(), servers: name, timeout: TIMEOUT_MS, budget: 0, ...params },
    core,
    log: recordedLog(),
    deps: {},
  });
  t.after(() => memcached.stop?.(state));
  const starting = memcached.start?.(state);
  await server.received('version\r\n');
  server.write('VERSION 1\r\n');
  await starting;
  const exposition = new Exposition(core.metrics, recordedLog());
  return {
    server,
    clock,
    call: () => callOf(state, request()),
    /** What series say whose names follow `kamaiki_memcached_`; `@` stands for the server. */
    figures: async (...series: readonly string[]): Promise<number[]> => {
      const { value } = scraped(await exposition.text());
      return series.map((each) => value(`kamaiki_memcached_${each.replace('@', `server="${name}"`)}`));
    },
  };
}

test('figures of memcached: a value that is read, its bytes and its latency', async (t) => {
  const { server, clock, call, figures } = await started(t);
  const reading = read.call(call(), 'k');
  await server.received('get k\r\n');
  assert.deepEqual(await figures('pending_operations{@}'), [1]);
  clock.advance(4);
  server.write('VALUE k 1 5\r\nhello\r\nEND\r\n');
  await reading;
  assert.deepEqual(
    await figures(
      'operations_total{@,operation="get",result="hits"}',
      'sent_bytes_total{@,operation="get"}',
      'value_bytes_total{@,operation="get"}',
      'received_bytes_total{@}',
      'operation_duration_seconds_bucket{@,operation="get",le="0.0025"}',
      'operation_duration_seconds_bucket{@,operation="get",le="0.005"}',
      'operation_duration_seconds_sum{@,operation="get"}',
      'operation_duration_seconds_count{@,operation="get"}',
      'pending_operations{@}',
    ),
    [1, 7, 5, 'VERSION 1\r\n'.length + 'VALUE k 1 5\r\nhello\r\nEND\r\n'.length, 0, 1, 0.004, 1, 0],
  );
});

test('figures of memcached: an outage, from the timeout to the replay of the journal', async (t) => {
  const { server, clock, call, figures } = await started(t);
  const states = () =>
    figures(
      'breaker_state{@,state="closed"}',
      'breaker_state{@,state="open"}',
      'breaker_state{@,state="probing"}',
      'outages_total{@}',
    );
  assert.deepEqual(await states(), [1, 0, 0, 0]);
  const reading = read.call(call(), 'k');
  const stepping = decrement.call(call(), 'n', 1);
  await server.received('decr n 1\r\n');
  clock.advance(TIMEOUT_MS);
  await Promise.all([reading, stepping]);
  await read.call(call(), 'k'); // at once
  await decrement.call(call(), 'n', 1); // kept
  assert.deepEqual(await states(), [0, 1, 0, 1]);
  assert.deepEqual(
    await figures(
      'operations_total{@,operation="get",result="timeouts"}',
      'operations_total{@,operation="get",result="errors"}',
      'operation_duration_seconds_count{@,operation="get"}',
      'journal_entries{@}',
      'journal_total{@,result="in_doubt"}',
      'journal_total{@,result="replayed"}',
    ),
    [1, 1, 1, 1, 1, 0],
  );
  const before = await figures('received_bytes_total{@}');
  clock.advance(PROBE_MIN_MS);
  await server.received('version\r\n');
  assert.deepEqual(await states(), [0, 0, 1, 1]);
  server.write('VERSION 1\r\n');
  await server.received('decr n 1\r\n');
  assert.deepEqual(await states(), [1, 0, 0, 1]);
  assert.deepEqual(await figures('journal_entries{@}', 'journal_total{@,result="replayed"}'), [0, 1]);
  // What came on the connection that has ended still counts.
  assert.deepEqual(await figures('received_bytes_total{@}'), [(before[0] ?? 0) + 'VERSION 1\r\n'.length]);
});

test('figures of memcached: operations for which the budget of their transaction was not enough', async (t) => {
  const { server, clock, call, figures } = await started(t, { budget: 100 });
  const one = call();
  const reading = read.call(one, 'a');
  await server.received('get a\r\n');
  clock.advance(100);
  await reading; // got less time than it needed
  await read.call(one, 'b'); // got none
  assert.deepEqual(await figures('budget_exhausted_total'), [2]);
});

test('figures of memcached: limits by what they came to, and places held', async (t) => {
  const { server, call, figures } = await started(t);
  const taking = acquire.call(call(), 'l', { max: 1, id: 'a', ttl: 60 });
  await server.received('gets lease:l\r\n');
  server.write('END\r\n');
  await server.received('\r\nL');
  server.write('STORED\r\n');
  assert.equal((await taking).status, 'acquired');
  const local = { limit: 1, per: 60, onDown: 'local' } as const;
  const counting = rate.call(call(), 'r', local);
  await server.received('incr ');
  server.reset();
  // Down from here on: this process alone decides.
  await counting;
  await rate.call(call(), 'r', local);
  await distinct.call(call(), 'd', 'x', { max: 1, per: 60, onDown: 'closed' });
  assert.deepEqual(
    await figures(
      'leases_held',
      'limit_decisions_total{function="acquire",decision="allowed"}',
      'limit_decisions_total{function="rate",decision="allowed"}',
      'limit_decisions_total{function="rate",decision="exceeded"}',
      'limit_decisions_total{function="distinct",decision="down"}',
      'limit_decisions_total{function="distinct",decision="allowed"}',
    ),
    [1, 1, 1, 1, 1, 0],
  );
});

test('figures of memcached: the embedded store has the same name at each start', async (t) => {
  const core = fakeCore();
  const params = { ...defaultParams(), servers: 'embedded' };
  const state = memcached.init({ params, core, log: recordedLog(), deps: {} });
  const text = () => new Exposition(core.metrics, recordedLog()).text();
  assert.equal(scraped(await text()).metrics.get('kamaiki_memcached_outages_total')?.values.size, 0);
  await memcached.start?.(state);
  t.after(() => memcached.stop?.(state));
  assert.equal(scraped(await text()).value('kamaiki_memcached_outages_total{server="embedded"}'), 0);
});
