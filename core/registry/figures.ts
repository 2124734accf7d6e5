import { errors } from '../errors.ts';
import type { Histogram } from './histogram.ts';
import type { Figure, MetricsService } from './metrics.ts';

type Labels = Readonly<Record<string, string>>;
/** Gives each value of a figure with its labels to `sample`. */
export type Read<Value> = (sample: (labels: Labels, value: Value) => void) => void;

interface Declared {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** A figure that has been declared, in the one form in which figures are read. */
export type DeclaredFigure = Declared &
  (
    | { readonly kind: 'counter' | 'gauge'; readonly read: Read<number> }
    | { readonly kind: 'histogram'; readonly bounds: readonly number[]; readonly read: Read<Histogram> }
  );

const NAME = /^[a-z][a-z0-9_]*$/;
const NO_LABELS: Labels = {};

/** All figures of one proxy, in the order in which they were declared. */
export class Figures implements MetricsService {
  readonly #all = new Map<string, DeclaredFigure>();

  get all(): readonly DeclaredFigure[] {
    return [...this.#all.values()];
  }

  counter<L extends string>(figure: Figure<number, L>): void {
    this.#add({ kind: 'counter', ...declared(figure), read: reader(figure) });
  }

  gauge<L extends string>(figure: Figure<number, L>): void {
    this.#add({ kind: 'gauge', ...declared(figure), read: reader(figure) });
  }

  histogram<L extends string>(figure: Figure<Histogram, L> & { readonly bounds: readonly number[] }): void {
    const { bounds } = figure;
    this.#add({ kind: 'histogram', bounds, ...declared(figure), read: reader(figure) });
  }

  #add(figure: DeclaredFigure): void {
    const wrong = this.#wrong(figure);
    if (wrong !== null) throw errors.ERR_METRIC(figure.name, wrong);
    this.#all.set(figure.name, figure);
  }

  #wrong({ kind, name, help, labels }: DeclaredFigure): string | null {
    if (!NAME.test(name)) return 'a name has small letters, digits and underscores, and begins with a letter';
    if (name.endsWith('_total') !== (kind === 'counter')) return 'counters, and nothing else, end in _total';
    if (help === '') return 'it has no help text';
    const label = labels.find((each) => !NAME.test(each) || each === 'le');
    if (label !== undefined) return `'${label}' is no label`;
    return this.#all.has(name) ? 'it has been declared before' : null;
  }
}

function declared<Value, L extends string>({ name, help, labels }: Figure<Value, L>): Declared {
  return { name, help, labels: labels ?? [] };
}

function reader<Value, L extends string>(figure: Figure<Value, L>): Read<Value> {
  return figure.labels === undefined
    ? (sample) => sample(NO_LABELS, figure.read())
    : (sample) => figure.read(sample);
}
