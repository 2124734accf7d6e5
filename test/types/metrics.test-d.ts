import { Histogram, type MetricsService } from '../../core/index.ts';

// What the compiler knows and refuses in the figures of a module. Nothing here runs.

declare const metrics: MetricsService;

metrics.counter({ name: 'x_total', help: 'X.', read: () => 1 });

metrics.gauge({
  name: 'x',
  help: 'X.',
  labels: ['a', 'b'],
  read(sample) {
    sample({ a: '1', b: '2' }, 3);
    // @ts-expect-error the label b is missing
    sample({ a: '1' }, 3);
    // @ts-expect-error no such label
    sample({ a: '1', b: '2', c: '3' }, 3);
    // @ts-expect-error a value is a number
    sample({ a: '1', b: '2' }, '3');
  },
});

// @ts-expect-error without labels the value comes back
metrics.gauge({ name: 'x', help: 'X.', read: () => undefined });

metrics.histogram({ name: 'x', help: 'X.', bounds: [1], read: () => new Histogram([1]) });

// @ts-expect-error a histogram says its bounds
metrics.histogram({ name: 'x', help: 'X.', read: () => new Histogram([1]) });

// @ts-expect-error a figure says what it is
metrics.gauge({ name: 'x', read: () => 1 });
