import type { Histogram } from './histogram.ts';

/** What a figure is called and what it says. */
interface FigureText {
  /** As Prometheus has it: `kamaiki_` and the module's name in front, the unit (`_seconds`, `_bytes`) behind, and for counters `_total` after that. */
  readonly name: string;
  /** One sentence for operators. */
  readonly help: string;
}

/** A figure that is one value. */
interface PlainFigure<Value> extends FigureText {
  readonly labels?: undefined;
  /** Called when someone asks for the figures. */
  read(): Value;
}

/** A figure that is one value for each of several things. The labels must not have more values than can be listed: no Call-IDs, no keys. */
interface LabelledFigure<Value, L extends string> extends FigureText {
  readonly labels: readonly L[];
  /** Called when someone asks for the figures: gives each value with its labels to `sample`. */
  read(sample: (labels: Readonly<Record<L, string>>, value: Value) => void): void;
}

/** A figure as a module declares it. */
export type Figure<Value, L extends string> = PlainFigure<Value> | LabelledFigure<Value, L>;

/**
 * Where the core and modules declare what they count, in `init`. They count in plain numbers of their own, which are read only when
 * someone asks for them: on the way of a message a figure costs its increment and nothing else.
 */
export interface MetricsService {
  /** Something that only grows. @throws ERR_METRIC when the name is taken or not as it should be. */
  counter<const L extends string = never>(figure: Figure<number, L>): void;
  /** Something that goes up and down. @throws ERR_METRIC */
  gauge<const L extends string = never>(figure: Figure<number, L>): void;
  /** Values by size; all histograms of one figure have the bounds given here. @throws ERR_METRIC */
  histogram<const L extends string = never>(
    figure: Figure<Histogram, L> & { readonly bounds: readonly number[] },
  ): void;
}
