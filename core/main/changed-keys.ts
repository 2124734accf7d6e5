import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../log.ts';
import type { Sources } from './assemble.ts';
import { type Configuration, readConfiguration } from './configuration.ts';
import type { TOP_KEYS } from './configuration-keys.ts';

/**
 * Tells in the log which keys of the configuration file are not those of the start any more: SIGHUP takes in the files of `routes` and `tls`, and nothing else
 * of it.
 */
export function tellChangedKeys(started: Configuration, sources: Sources, log: Logger): void {
  const { configuration, mistakes } = readConfiguration(sources.file, sources);
  const [first] = mistakes;
  if (first !== undefined) {
    log.warn('the configuration file has mistakes, with which no start will work', { first: first.message });
    return;
  }
  const before = new Map(Object.entries(values(started)));
  const changed = Object.entries(values(configuration)).filter(
    ([key, value]) => !isDeepStrictEqual(value, before.get(key)),
  );
  if (changed.length === 0) return;
  const keys = changed.map(([key]) => key).join(' ');
  log.warn('the configuration file has changed in keys that are read at the start only', { keys });
}

/** What each key says that is read at the start only. */
function values(configuration: Configuration): Readonly<Record<keyof typeof TOP_KEYS, unknown>> {
  const { listen, alias, log, limits, tcp, tls, dns, metrics, mpath, modules } = configuration;
  return {
    listen,
    alias,
    log,
    limits,
    warm_up: configuration.warmUpCalls,
    udp: configuration.nativeUdp,
    tcp,
    tls: tls === null ? null : [tls.verifyCertificate, tls.requireCertificate],
    dns,
    metrics,
    routes: configuration.routesFile,
    mpath: mpath.map(({ entry }) => entry),
    modules: modules.map(({ name, params }) => [name, params]),
  };
}
