/** What a running proxy shows after calls of SIPp through it, with memcached: the figures, their texts, the dashboard and docs/metrics.md. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { ROOT, read } from '../architecture/source-files.ts';
import { freePort } from '../programs/free-port.ts';
import { startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { startProxy } from '../programs/proxy.ts';
import { callConfiguration, callRoutes } from '../scenarios/call-routes.ts';
import { assertAllGood, runPair } from '../scenarios/pair.ts';
import { type Scraped, scraped } from './scraped.ts';

const CALLS = 10;
const SCENARIOS = join(ROOT, 'test/scenarios/sipp');

/** Listens on TCP too, and has time enough on a machine that is slow: nothing is sent twice, and no operation is given up. */
function configurationFor(memcached: string): string {
  return `metrics: 127.0.0.1:0\n${callConfiguration({ memcached })}`
    .replace('listen: [', 'listen: ["tcp:127.0.0.1:0", ')
    .replace('tm: {}', 'tm: { retr_timer1: 10000, retr_timer2: 60000 }')
    .replace('memcached: {', 'htable: { htable: ["t=>size=4;"] }\n  memcached: { timeout: 20000, budget: 0,');
}

/** Has calls made through a proxy of its own, and gives what the proxy shows then. */
async function scrapeAfterCalls(): Promise<{ readonly scrape: Scraped; readonly server: string }> {
  const memcached = await startMemcached();
  const calleePort = await freePort();
  const proxy = await startProxy({
    yaml: configurationFor(memcached.server),
    routes: callRoutes(`127.0.0.1:${calleePort}`, { cached: true }),
  });
  try {
    const { address } = await proxy.waitForLog(/^metrics$/);
    const { caller, callee } = await runPair(
      {
        caller: join(SCENARIOS, 'caller.xml'),
        callee: join(SCENARIOS, 'callee.xml'),
        calls: CALLS,
        rate: 20,
        callerArgs: ['-nr'],
        calleeArgs: ['-nr'],
      },
      { target: proxy.port, calleePort },
    );
    assertAllGood('caller', caller, CALLS);
    assertAllGood('callee', callee, CALLS);
    const scrape = scraped(await (await fetch(String(address))).text());
    return { scrape, server: memcached.server };
  } finally {
    await proxy.stop();
    await memcached.kill();
  }
}

/** Names of metrics in an expression of a dashboard. */
function metricsIn(expression: string): string[] {
  return expression.match(/\b(?:kamaiki|process|nodejs)_[a-z0-9_]+/g) ?? [];
}

/** Every `expr` and `query` of a dashboard, wherever it stands. */
function expressionsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    (key === 'expr' || key === 'query') && typeof inner === 'string' ? [inner] : expressionsIn(inner),
  );
}

describe('metrics of a running proxy', { skip: missing('sipp') ?? missing('memcached') ?? false }, () => {
  let scrape: Scraped;
  let server: string;
  before(async () => {
    ({ scrape, server } = await scrapeAfterCalls());
  });

  function ofUdp(name: string): number {
    const series = [...(scrape.metrics.get(`kamaiki_transport_${name}`)?.values ?? [])];
    return series.find(([labels]) => labels.includes('protocol="udp"'))?.[1] ?? Number.NaN;
  }

  function resultsOf(operation: string): readonly number[] {
    const labels = `server="${server}",operation="${operation}"`;
    return ['hits', 'misses', 'errors', 'timeouts'].map((result) =>
      scrape.value(`kamaiki_memcached_operations_total{${labels},result="${result}"}`),
    );
  }

  test('metrics: ten calls are counted as ten calls, message by message', () => {
    const expected = {
      'kamaiki_requests_total{method="INVITE"}': CALLS,
      'kamaiki_requests_total{method="ACK"}': CALLS,
      'kamaiki_requests_total{method="BYE"}': CALLS,
      'kamaiki_requests_total{method="other"}': 0,
      // 100, 180 and 200 for INVITE, 200 for BYE
      'kamaiki_responses_total{class="1xx"}': 2 * CALLS,
      'kamaiki_responses_total{class="2xx"}': 2 * CALLS,
      'kamaiki_responses_total{class="4xx"}': 0,
      kamaiki_malformed_total: 0,
      kamaiki_refused_total: 0,
      kamaiki_stray_responses_total: 0,
      kamaiki_handlers_running: 0,
      kamaiki_messages_waiting: 0,
      kamaiki_tm_unanswered: 0,
      'kamaiki_tm_transactions_total{kind="invite"}': CALLS,
      'kamaiki_tm_transactions_total{kind="other"}': CALLS,
      'kamaiki_tm_final_replies_total{class="2xx"}': 2 * CALLS,
      'kamaiki_tm_final_replies_total{class="4xx"}': 0,
      kamaiki_tm_local_replies_total: 0,
      kamaiki_tm_retransmissions_absorbed_total: 0,
      'kamaiki_tm_retransmissions_sent_total{kind="request"}': 0,
      'kamaiki_tm_retransmissions_sent_total{kind="reply"}': 0,
      kamaiki_tm_timeouts_total: 0,
      kamaiki_tm_canceled_total: 0,
    };
    const found = Object.keys(expected).map((series) => [series, scrape.value(series)]);
    assert.deepEqual(Object.fromEntries(found), expected);
    assert.ok(scrape.value('kamaiki_timers') > 0);
  });

  test('metrics: so are the messages of its socket', () => {
    // Received: INVITE, 100, 180, 200, ACK, BYE, 200. Sent: the same, with a 100 of its own.
    assert.equal(ofUdp('received_messages_total'), 7 * CALLS);
    assert.equal(ofUdp('sent_messages_total'), 7 * CALLS);
    assert.equal(ofUdp('errors_total'), 0);
    const received = ofUdp('received_bytes_total');
    const sent = ofUdp('sent_bytes_total');
    // A message of these scenarios has 200 to 1,000 bytes.
    for (const bytes of [received, sent])
      assert.ok(bytes > 200 * 7 * CALLS && bytes < 1_000 * 7 * CALLS, `${bytes} bytes`);
  });

  test('metrics: so are the operations on memcached, by command', () => {
    assert.deepEqual(
      {
        set: resultsOf('set'),
        incr: resultsOf('incr'),
        decr: resultsOf('decr'),
        delete: resultsOf('delete'),
      },
      // The counter `active` is not there, and neither function creates it.
      { set: [CALLS, 0, 0, 0], incr: [0, CALLS, 0, 0], decr: [0, CALLS, 0, 0], delete: [CALLS, 0, 0, 0] },
    );
  });

  test('metrics: each operation that was sent has a latency, and bytes', () => {
    for (const operation of ['set', 'incr', 'decr', 'delete']) {
      const labels = `{server="${server}",operation="${operation}"`;
      const duration = `kamaiki_memcached_operation_duration_seconds`;
      assert.equal(scrape.value(`${duration}_count${labels}}`), CALLS);
      assert.equal(scrape.value(`${duration}_bucket${labels},le="+Inf"}`), CALLS);
      const sum = scrape.value(`${duration}_sum${labels}}`);
      // None waited longer than the timeout, or it would have failed.
      assert.ok(sum > 0 && sum < 20 * CALLS, `${operation}: ${sum} s`);
    }
    // `incr active 1` and a line end.
    const incr = `kamaiki_memcached_sent_bytes_total{server="${server}",operation="incr"}`;
    assert.equal(scrape.value(incr), 15 * CALLS);
    // STORED, DELETED and twice NOT_FOUND with their line ends for each call; and the version at the start.
    const received = scrape.value(`kamaiki_memcached_received_bytes_total{server="${server}"}`);
    assert.ok(
      received > (8 + 9 + 11 + 11) * CALLS && received < (8 + 9 + 11 + 11) * CALLS + 40,
      `${received}`,
    );
    const breaker = (state: string) =>
      scrape.value(`kamaiki_memcached_breaker_state{server="${server}",state="${state}"}`);
    assert.deepEqual([breaker('closed'), breaker('open'), breaker('probing')], [1, 0, 0]);
  });

  test('metrics: each has a help text and a type, and names follow the conventions of Prometheus', () => {
    assert.ok(scrape.metrics.size > 40);
    for (const [name, { help, type }] of scrape.metrics) {
      assert.notEqual(help, '', name);
      assert.match(type, /^(?:counter|gauge|histogram)$/, name);
      if (!name.startsWith('kamaiki_')) continue;
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.doesNotMatch(name, /_(?:ms|milliseconds|kb|seconds_total_seconds)(?:_|$)/);
      assert.match(help, /\.$/, name);
    }
  });

  test('dashboard: every metric that it names is there, and it leaves none of kamaiki out', () => {
    const dashboard: unknown = JSON.parse(read('docs/grafana-dashboard.json'));
    const expressions = expressionsIn(dashboard);
    assert.ok(expressions.length > 30);
    const named = new Set(expressions.flatMap(metricsIn));
    // Values of a histogram that has seen nothing yet, such as that of the garbage collector.
    const isOfHistogram = (name: string): boolean => {
      const [, metric = ''] = /^(.*)_(?:bucket|sum|count)$/.exec(name) ?? [];
      return scrape.metrics.get(metric)?.type === 'histogram';
    };
    assert.deepEqual(
      [...named].filter((name) => !scrape.series.has(name) && !isOfHistogram(name)),
      [],
      'named, and not there',
    );
    const own = [...scrape.metrics.keys()].filter((name) => name.startsWith('kamaiki_'));
    assert.deepEqual(
      own.filter((name) => ![...named].some((each) => each === name || each.startsWith(`${name}_`))),
      [],
      'there, and not named',
    );
  });

  test('docs/metrics.md: has every figure with its labels and its help text, and no other', () => {
    const rows = [
      ...read('docs/metrics.md').matchAll(/^\| `(kamaiki_\w+)` *\| ([^|]*)\| ([^|]*)\| (.*) \|$/gm),
    ];
    const documented = rows.map(([, name, kind = '', labels = '', help = '']) => {
      const names = [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label ?? '');
      return { name, type: kind.trim(), labels: names.toSorted(), help: help.trim() };
    });
    const shown = [...scrape.metrics]
      .filter(([name]) => name.startsWith('kamaiki_'))
      .map(([name, { type, help, values }]) => {
        const [first = ''] = values.keys();
        const names = [...first.matchAll(/(\w+)="/g)].map(([, label]) => label ?? '');
        return { name, type, labels: names.filter((label) => label !== 'le').toSorted(), help };
      });
    assert.deepEqual(
      documented.toSorted((a, b) => String(a.name).localeCompare(String(b.name))),
      shown.toSorted((a, b) => a.name.localeCompare(b.name)),
    );
  });
});
