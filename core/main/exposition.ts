import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram as PrometheusHistogram,
  Registry,
} from 'prom-client';
import type { Logger } from '../log.ts';
import type { DeclaredFigure, Figures, Read } from '../registry/figures.ts';
import type { Histogram } from '../registry/histogram.ts';

type HistogramFigure = DeclaredFigure & { readonly kind: 'histogram' };
type Values = Awaited<ReturnType<PrometheusHistogram['get']>>['values'];

/** The figures of a proxy and of its process as Prometheus reads them. */
export class Exposition {
  readonly #figures: Figures;
  readonly #log: Logger;
  readonly #registry = new Registry();
  readonly #registered = new Set<DeclaredFigure>();
  /** The text that is being made: all who ask meanwhile get the same. */
  #making: Promise<string> | null = null;

  constructor(figures: Figures, log: Logger) {
    this.#figures = figures;
    this.#log = log;
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All figures as they are now. */
  text(): Promise<string> {
    this.#making ??= this.#make().finally(() => {
      this.#making = null;
    });
    return this.#making;
  }

  #make(): Promise<string> {
    for (const figure of this.#figures.all) {
      if (this.#registered.has(figure)) continue;
      register(this.#registry, guarded(figure, this.#log));
      this.#registered.add(figure);
    }
    return this.#registry.metrics();
  }
}

/** The same figure, but without values when it cannot be read: the others are worth having all the same. */
function guarded(figure: DeclaredFigure, log: Logger): DeclaredFigure {
  return figure.kind === 'histogram'
    ? { ...figure, read: guardedRead(figure.name, figure.read, log) }
    : { ...figure, read: guardedRead(figure.name, figure.read, log) };
}

function guardedRead<Value>(name: string, read: Read<Value>, log: Logger): Read<Value> {
  return (sample) => {
    try {
      read(sample);
    } catch (error) {
      log.error(`metric ${name} could not be read`, { error });
    }
  };
}

function register(registry: Registry, figure: DeclaredFigure): void {
  const options = { ...text(figure), registers: [registry] };
  if (figure.kind === 'histogram') {
    registry.registerMetric(readHistogram(figure));
    return;
  }
  const { read } = figure;
  if (figure.kind === 'counter') {
    const counter = new Counter({
      ...options,
      collect: () => {
        counter.reset();
        read((labels, value) => counter.inc(labels, value));
      },
    });
    return;
  }
  const gauge = new Gauge({
    ...options,
    collect: () => {
      gauge.reset();
      read((labels, value) => gauge.inc(labels, value));
    },
  });
}

function text({ name, help, labels }: DeclaredFigure) {
  return { name, help, labelNames: [...labels] };
}

/** A histogram of prom-client whose values come from elsewhere when they are asked for: its own way in takes them one by one. */
function readHistogram(figure: HistogramFigure): PrometheusHistogram {
  const options = { ...text(figure), buckets: [...figure.bounds], registers: [] };
  const empty = new PrometheusHistogram(options);
  const get = async () => {
    const values: Values = [];
    figure.read((labels, histogram) => values.push(...valuesOf(figure.name, labels, histogram)));
    return { ...(await empty.get()), values };
  };
  // The registry prefers the second, which is not in prom-client's types.
  return Object.assign(new PrometheusHistogram(options), { get, getForPromString: get });
}

/** The series of one histogram: cumulated buckets, sum and count. */
function valuesOf(
  name: string,
  labels: Readonly<Record<string, string>>,
  { bounds, counts, sum }: Histogram,
): Values {
  let count = 0;
  const buckets = counts.map((inBucket, i) => {
    count += inBucket;
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bounds[i] ?? '+Inf' }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
