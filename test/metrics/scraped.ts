/** A metric of a scrape: its texts, and its values by their labels as they stand there. */
interface ScrapedMetric {
  readonly help: string;
  readonly type: string;
  readonly values: ReadonlyMap<string, number>;
}

/** What a scrape says, read as Prometheus reads it. */
export interface Scraped {
  /** By the name of the metric; the series of a histogram belong to it. */
  readonly metrics: ReadonlyMap<string, ScrapedMetric>;
  /** Names of all series, such as `x_bucket`. */
  readonly series: ReadonlySet<string>;
  /** The value of one series, `x{a="b"}` or `x`. @throws when there is none. */
  readonly value: (series: string) => number;
}

const SERIES = /^([a-z_][a-z0-9_]*)(\{[^}]*\})? (\S+)$/;

/** Reads the text format of Prometheus. @throws for a line that is none of it. */
export function scraped(text: string): Scraped {
  const metrics = new Map<string, { help: string; type: string; values: Map<string, number> }>();
  const series = new Set<string>();
  const all = new Map<string, number>();
  let current = { help: '', type: '', values: new Map<string, number>() };
  for (const line of text.split('\n')) {
    const [, name, help] = /^# HELP (\S+) (.*)$/.exec(line) ?? [];
    const [, , type] = /^# TYPE (\S+) (.*)$/.exec(line) ?? [];
    if (name !== undefined && help !== undefined) {
      current = { help, type: '', values: new Map() };
      metrics.set(name, current);
    } else if (type !== undefined) {
      current.type = type;
    } else if (line !== '') {
      const [, of, labels = '', value] = SERIES.exec(line) ?? [];
      if (of === undefined) throw new Error(`no line of a scrape: ${line}`);
      series.add(of);
      if (all.has(of + labels)) throw new Error(`the series ${of}${labels} stands there twice`);
      all.set(of + labels, Number(value));
      current.values.set(of + labels, Number(value));
    }
  }
  return {
    metrics,
    series,
    value(name) {
      const found = all.get(name);
      if (found === undefined) throw new Error(`no series ${name}`);
      return found;
    },
  };
}
