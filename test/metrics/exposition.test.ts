import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '../../core/index.ts';
import { Exposition } from '../../core/main/exposition.ts';
import { Figures } from '../../core/registry/figures.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { scraped } from './scraped.ts';

test('exposition: counters and gauges say what they are at each scrape, not the sum of all scrapes', async () => {
  const figures = new Figures();
  let value = 3;
  figures.counter({ name: 'c_total', help: 'C.', read: () => value });
  figures.gauge({ name: 'g', help: 'G.', labels: ['of'], read: (sample) => sample({ of: 'a' }, value) });
  const exposition = new Exposition(figures, recordedLog());
  await exposition.text();
  value = 2;
  const { metrics, value: of } = scraped(await exposition.text());
  assert.deepEqual([of('c_total'), of('g{of="a"}')], [2, 2]);
  assert.deepEqual(
    [metrics.get('c_total')?.type, metrics.get('g')?.type, metrics.get('g')?.help],
    ['counter', 'gauge', 'G.'],
  );
});

test('exposition: a thing that is gone leaves no value behind', async () => {
  const figures = new Figures();
  let names = ['a', 'b'];
  figures.gauge({
    name: 'g',
    help: 'G.',
    labels: ['of'],
    read: (sample) => names.forEach((of) => sample({ of }, 1)),
  });
  const exposition = new Exposition(figures, recordedLog());
  await exposition.text();
  names = ['b'];
  assert.deepEqual(
    [
      ...(scraped(await exposition.text())
        .metrics.get('g')
        ?.values.keys() ?? []),
    ],
    ['g{of="b"}'],
  );
});

test('exposition: a histogram has cumulated buckets, sum and count, for each of its labels', async () => {
  const figures = new Figures();
  const bounds = [0.1, 1];
  const histogram = new Histogram(bounds);
  for (const seconds of [0.05, 0.5, 0.25, 4]) histogram.observe(seconds);
  figures.histogram({
    name: 'h_seconds',
    help: 'H.',
    labels: ['of'],
    bounds,
    read(sample) {
      sample({ of: 'a' }, histogram);
      sample({ of: 'b' }, new Histogram(bounds));
    },
  });
  const { metrics } = scraped(await new Exposition(figures, recordedLog()).text());
  assert.deepEqual(Object.fromEntries(metrics.get('h_seconds')?.values ?? []), {
    'h_seconds_bucket{of="a",le="0.1"}': 1,
    'h_seconds_bucket{of="a",le="1"}': 3,
    'h_seconds_bucket{of="a",le="+Inf"}': 4,
    'h_seconds_sum{of="a"}': 4.8,
    'h_seconds_count{of="a"}': 4,
    'h_seconds_bucket{of="b",le="0.1"}': 0,
    'h_seconds_bucket{of="b",le="1"}': 0,
    'h_seconds_bucket{of="b",le="+Inf"}': 0,
    'h_seconds_sum{of="b"}': 0,
    'h_seconds_count{of="b"}': 0,
  });
  assert.equal(metrics.get('h_seconds')?.type, 'histogram');
});

test('exposition: quotes and line breaks in a label do not break the text', async () => {
  const figures = new Figures();
  figures.gauge({ name: 'g', help: 'G.', labels: ['of'], read: (sample) => sample({ of: 'a"\n\\b' }, 1) });
  assert.match(await new Exposition(figures, recordedLog()).text(), /^g\{of="a\\"\\n\\\\b"\} 1$/m);
});

test('exposition: a figure that cannot be read is logged, and the others are there', async () => {
  const figures = new Figures();
  const log = recordedLog();
  figures.gauge({
    name: 'broken',
    help: 'B.',
    read: () => {
      throw new Error('no');
    },
  });
  figures.gauge({ name: 'good', help: 'G.', read: () => 1 });
  assert.equal(scraped(await new Exposition(figures, log).text()).value('good'), 1);
  assert.deepEqual(
    log.lines.map(({ level, message }) => [level, message]),
    [['error', 'metric broken could not be read']],
  );
});

test('exposition: figures that are declared late are there from the next scrape on', async () => {
  const figures = new Figures();
  const exposition = new Exposition(figures, recordedLog());
  await exposition.text();
  figures.gauge({ name: 'late', help: 'L.', read: () => 5 });
  assert.equal(scraped(await exposition.text()).value('late'), 5);
});

test('exposition: all who ask at one time get the same text, which is made once', async () => {
  const figures = new Figures();
  let reads = 0;
  figures.gauge({ name: 'g', help: 'G.', read: () => ++reads });
  const exposition = new Exposition(figures, recordedLog());
  const texts = await Promise.all([exposition.text(), exposition.text(), exposition.text()]);
  assert.deepEqual([reads, new Set(texts).size], [1, 1]);
});

test('exposition: CPU, memory and event loop of the process are there', async () => {
  const { series } = scraped(await new Exposition(new Figures(), recordedLog()).text());
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
    'nodejs_heap_size_used_bytes',
  ])
    assert.ok(series.has(name), name);
});
