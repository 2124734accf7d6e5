import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errors, type Place, type ProxyError } from '../errors.ts';
import type { Alias } from '../proxy/myself.ts';
import type { ProxyLimits } from '../proxy/proxy.ts';
import type { LoadRequest } from '../registry/registry.ts';
import { messageOf } from '../registry/shown.ts';
import type { ConnectionLimits } from '../transport/connection-limits.ts';
import { type ListenOption, printListenOption } from '../transport/listen-option.ts';
import type { DnsSettings } from '../transport/dns-client.ts';
import type { TlsSettings } from '../transport/tls-credentials.ts';
import type { LogOptions } from '../winston-log.ts';
import { LIMIT_KEYS, LISTEN_KEYS, LOG_KEYS, TOP_KEYS, UDP_KEYS, WARM_UP_KEYS } from './configuration-keys.ts';
import { DNS_KEYS, dnsSettings } from './dns-keys.ts';
import { ConfigurationReader } from './configuration-reader.ts';
import type { Environment } from './environment.ts';
import { expectedListen, LISTEN_EXPECTED, parseHostPort, parseListen } from './listen-address.ts';
import { asWritten, hasSubstituted, hasUnresolved, type Located, plain, readYaml } from './located-yaml.ts';
import { type MetricsSettings, readMetrics } from './metrics-key.ts';
import { readTcp, readTls } from './stream-configuration.ts';

/** What kamailio.yaml says, with defaults filled in and paths made absolute. */
export interface Configuration {
  /** Absolute path of the file itself. */
  readonly file: string;
  readonly listen: readonly ListenOption[];
  readonly alias: readonly Alias[];
  readonly log: Pick<LogOptions, 'level' | 'format' | 'file'>;
  /** Empty when the file names none, which is one of its mistakes. */
  readonly routesFile: string;
  readonly mpath: readonly MpathEntry[];
  readonly modules: readonly ConfiguredModule[];
  readonly limits: ProxyLimits;
  /** Calls played before it listens. */
  readonly warmUpCalls: number;
  /** Whether UDP sockets are those of the native addon. */
  readonly nativeUdp: boolean;
  /** Bounds of connections. */
  readonly tcp: ConnectionLimits;
  /** Null: there is no certificate. */
  readonly tls: TlsSettings | null;
  readonly dns: DnsSettings;
  /** Null: figures cannot be asked for. */
  readonly metrics: MetricsSettings | null;
}

/** A place to look for modules, and where it stands in the file. */
interface MpathEntry {
  readonly entry: string;
  readonly place: Place;
}

/** A module to load. */
export interface ConfiguredModule extends LoadRequest {
  /** Parameters whose text came from the environment or a file: where a number is expected, it stands for a number. */
  readonly substituted: ReadonlySet<string>;
}

/** A configuration and every mistake in its file; where there is one, the configuration holds the default instead. */
export interface ConfigurationResult {
  readonly configuration: Configuration;
  readonly mistakes: readonly ProxyError[];
}

interface ReadOptions {
  readonly environment: Environment;
  /** Listen addresses that take the place of the file's; none: the file's count. */
  readonly listen?: readonly ListenOption[];
}

/** Reads a configuration file. Mistakes are returned, not thrown, so that the caller can add those that only modules can tell. */
export function readConfiguration(
  path: string,
  { environment, listen = [] }: ReadOptions,
): ConfigurationResult {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const unreadable = Object.assign(errors.ERR_CONFIG_READ(path, messageOf(cause)), { cause });
    return {
      configuration: interpret(null, { file: path, listen, reader: new ConfigurationReader([]) }),
      mistakes: [unreadable],
    };
  }
  return parseConfiguration(text, { file: path, environment, listen });
}

/** Reads the text of a configuration file; `file` is named in messages and is what paths are relative to. */
export function parseConfiguration(
  text: string,
  { file, environment, listen = [] }: ReadOptions & { readonly file: string },
): ConfigurationResult {
  const mistakes: ProxyError[] = [];
  const root = readYaml(text, { file, environment, mistakes });
  // What is not YAML says nothing about keys.
  const reader = new ConfigurationReader(root === null && mistakes.length > 0 ? [] : mistakes);
  const configuration = interpret(root, { file, listen, reader });
  return { configuration, mistakes: mistakes.toSorted(byPlace) };
}

/** Orders mistakes of one file as they stand in it; those without a place go first. */
export function byPlace({ place: a }: ProxyError, { place: b }: ProxyError): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return a.line - b.line || a.column - b.column;
}

function interpret(
  root: Located | null,
  {
    file,
    listen: given,
    reader,
  }: { file: string; listen: readonly ListenOption[]; reader: ConfigurationReader },
): Configuration {
  const folder = dirname(resolve(file));
  const map = root === null ? null : reader.map(root, 'the file', Object.keys(TOP_KEYS));
  const at = (key: keyof typeof TOP_KEYS): Located | null => reader.entry(map, key);
  const start: Place = { file, line: 1, column: 1 };
  const missing = (key: string, expected: string): void => {
    if (root === null || root.kind === 'map')
      reader.mistakes.push(errors.ERR_CONFIG_MISSING.at(root?.place ?? start, key, expected));
  };

  const listen = at('listen');
  if (listen === null && given.length === 0) missing('listen', 'a list of listen addresses');
  const routes = at('routes');
  if (routes === null) missing('routes', 'the path of the routes file');
  const routesFile = routes === null ? null : reader.text(routes, 'routes', 'the path of the routes file');
  const log = reader.section(at('log'), 'log', LOG_KEYS);
  const limits = reader.section(at('limits'), 'limits', LIMIT_KEYS);
  const options = given.length > 0 ? given : readListen(listen, reader);
  const secure = options.find(({ protocol }) => protocol === 'tls' || protocol === 'wss');
  if (secure !== undefined && at('tls') === null)
    reader.mistakes.push(errors.ERR_TLS_MISSING.at(listen?.place ?? start, printListenOption(secure)));
  return {
    file: resolve(file),
    listen: options,
    alias: readAlias(at('alias'), reader),
    log: {
      level: log.level,
      format: log.format,
      file: log.file === '' ? undefined : resolve(folder, log.file),
    },
    routesFile: routesFile === null ? '' : resolve(folder, routesFile),
    mpath: readMpath(at('mpath'), reader),
    modules: readModules(at('modules'), reader),
    limits: {
      handlers: limits.handlers,
      handlerTimeoutMs: limits.handler_timeout,
      startTimeoutMs: limits.start_timeout,
      shutdownTimeoutMs: limits.shutdown_timeout,
      lane: limits.max_lane,
      maxWaitMs: limits.max_wait,
    },
    warmUpCalls: reader.section(at('warm_up'), 'warm_up', WARM_UP_KEYS).calls,
    nativeUdp: reader.section(at('udp'), 'udp', UDP_KEYS).native,
    tcp: readTcp(at('tcp'), reader),
    tls: readTls(at('tls'), reader, folder),
    dns: dnsSettings(reader.section(at('dns'), 'dns', DNS_KEYS)),
    metrics: readMetrics(at('metrics'), reader),
  };
}

function readListen(found: Located | null, reader: ConfigurationReader): ListenOption[] {
  const items = reader.list(found, 'listen', 'listen addresses');
  if (found?.kind === 'list' && items.length === 0)
    reader.unexpected('listen', found, 'at least one listen address');
  const lines = new Map<string, number>();
  const options: ListenOption[] = [];
  for (const item of items) {
    const option = item.kind === 'map' ? readAdvertised(item, reader) : readAddress(item, reader);
    if (option === null) continue;
    const name = printListenOption(option);
    const first = lines.get(name);
    if (first !== undefined && option.port !== 0) {
      reader.mistakes.push(errors.ERR_CONFIG_DUPLICATE.at(item.place, 'listen address', name, first));
      continue;
    }
    lines.set(name, item.place.line);
    options.push(option);
  }
  return options;
}

function readAdvertised(item: Located, reader: ConfigurationReader): ListenOption | null {
  const map = reader.map(item, 'listen', Object.keys(LISTEN_KEYS));
  const address = reader.entry(map, 'address');
  if (address === null) {
    reader.mistakes.push(errors.ERR_CONFIG_MISSING.at(item.place, 'address', LISTEN_EXPECTED));
    return null;
  }
  const option = readAddress(address, reader);
  const advertise = reader.entry(map, 'advertise');
  if (option === null || advertise === null) return option;
  const name = readAdvertise(advertise, reader);
  return name === null ? null : { ...option, advertise: name };
}

function readAddress(found: Located, reader: ConfigurationReader): ListenOption | null {
  const text = reader.text(found, 'listen', LISTEN_EXPECTED);
  if (text === null) return null;
  const option = parseListen(text);
  if (option === null) reader.unexpected('listen', found, expectedListen(text));
  return option;
}

function readAdvertise(found: Located, reader: ConfigurationReader): ListenOption['advertise'] | null {
  const expected = 'host:port, such as "203.0.113.5:5060"';
  const text = reader.text(found, 'advertise', expected);
  const parsed = text === null ? null : parseHostPort(text);
  if (parsed !== null && parsed.port !== null && parsed.port > 0)
    return { host: parsed.host, port: parsed.port };
  if (text !== null) reader.unexpected('advertise', found, expected);
  return null;
}

function readAlias(found: Located | null, reader: ConfigurationReader): Alias[] {
  const expected = 'host or host:port, such as "example.com"';
  return reader.list(found, 'alias', 'names').flatMap((item) => {
    const text = reader.text(item, 'alias', expected);
    const parsed = text === null ? null : parseHostPort(text);
    if (parsed === null && text !== null) reader.unexpected('alias', item, expected);
    return parsed ?? [];
  });
}

function readMpath(found: Located | null, reader: ConfigurationReader): MpathEntry[] {
  const expected = 'a folder or the name of an npm package';
  return reader.list(found, 'mpath', 'folders and npm packages').flatMap((item) => {
    const entry = reader.text(item, 'mpath', expected);
    return entry === null ? [] : { entry, place: item.place };
  });
}

function readModules(found: Located | null, reader: ConfigurationReader): ConfiguredModule[] {
  if (found === null) return [];
  if (found.kind !== 'map') {
    reader.unexpected('modules', found, 'a mapping of module names to their parameters, such as "sl: {}"');
    return [];
  }
  return [...found.entries].map(([name, { keyPlace }]) => {
    const given = reader.entry(found, name);
    const map = given === null ? null : reader.map(given, `modules.${name}`, null);
    // Of those that lead nowhere nothing more is to be said.
    const entries = [...(map?.entries ?? [])].filter(([, { value: of }]) => !hasUnresolved(of));
    return {
      name,
      params: Object.fromEntries(entries.map(([param, { value: of }]) => [param, plain(of)])),
      place: keyPlace,
      placeOf: (param: string, part?: string) => {
        const entry = map?.entries.get(param);
        const parts = entry?.value.kind === 'map' ? entry.value.entries : undefined;
        return (part === undefined ? entry : (parts?.get(part) ?? entry))?.keyPlace ?? keyPlace;
      },
      writtenOf: (param: string) => {
        const of = map?.entries.get(param)?.value;
        return of !== undefined && hasSubstituted(of) ? asWritten(of) : undefined;
      },
      substituted: new Set(entries.filter(([, { value: of }]) => hasSubstituted(of)).map(([param]) => param)),
    };
  });
}
