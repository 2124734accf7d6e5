import type { Place } from '../errors.ts';
import type { ConfigurationReader } from './configuration-reader.ts';
import { parseHostPort } from './listen-address.ts';
import type { Located } from './located-yaml.ts';

/** Where figures can be asked for. */
export interface MetricsSettings {
  readonly host: string;
  readonly port: number;
  /** Where the key stands in the file. */
  readonly place: Place;
}

const EXPECTED = 'host:port, such as "127.0.0.1:9090" or "[::1]:9090"';

/** Reads kamailio.yaml's `metrics`; null when it is not there, or wrong. */
export function readMetrics(found: Located | null, reader: ConfigurationReader): MetricsSettings | null {
  const text = found === null ? null : reader.text(found, 'metrics', EXPECTED);
  if (found === null || text === null) return null;
  const parsed = parseHostPort(text);
  if (parsed !== null && parsed.port !== null)
    return { host: parsed.host, port: parsed.port, place: found.place };
  reader.unexpected('metrics', found, EXPECTED);
  return null;
}
