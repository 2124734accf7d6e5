import { dirname } from 'node:path';
import { errors, ProxyError, ProxyErrors } from '../errors.ts';
import type { AnyModule } from '../registry/module.ts';
import { checkRequests } from '../registry/load-checks.ts';
import { loadModulesFrom } from '../registry/module-path.ts';
import type { LoadRequest } from '../registry/registry.ts';
import type { ListenOption } from '../transport/listen-option.ts';
import { byPlace, type Configuration, readConfiguration } from './configuration.ts';
import type { Environment } from './environment.ts';
import { resolvePaths } from './param-paths.ts';
import { checkLogFile } from './log-file.ts';
import { importFile, type LoadedRoutes, loadRoutes } from './routes-loader.ts';
import { fitSubstituted } from './substituted-params.ts';

/** Gives the modules that the build brings; called when they are needed, since loading them takes time. */
export type BuiltinModules = () => Promise<readonly AnyModule[]>;

/** Where a proxy's parts come from. */
export interface Sources {
  /** Path of kamailio.yaml. */
  readonly file: string;
  readonly environment: Environment;
  readonly builtin: BuiltinModules;
  /** Takes the place of the file's listen addresses; none: the file's count. */
  readonly listen: readonly ListenOption[];
  /** Parameters by module in the place of the file's; modules that it does not name are added. */
  readonly params?: Readonly<Record<string, LoadRequest['params']>>;
}

/** All that a proxy is made of, read and checked. */
export interface Assembly extends LoadedRoutes {
  readonly configuration: Configuration;
  readonly available: readonly AnyModule[];
  readonly modules: readonly LoadRequest[];
}

/**
 * Reads the configuration, the modules it names places for, and the routes.
 *
 * @throws ProxyErrors with every mistake in any of them, those of kamailio.yaml in the order in which they stand there.
 */
export async function assemble({
  file,
  environment,
  builtin,
  listen,
  params = {},
}: Sources): Promise<Assembly> {
  const { configuration, mistakes } = readConfiguration(file, { environment, listen });
  if (mistakes.some(({ code }) => code === errors.ERR_CONFIG_READ.code)) throw new ProxyErrors(mistakes);
  const [own, found, routes] = await Promise.all([
    builtin(),
    settled(modulesOnPath(configuration)),
    configuration.routesFile === ''
      ? null
      : settled(loadRoutes(configuration.routesFile, configuration.limits.startTimeoutMs)),
  ]);
  const available = [...own, ...(found.value ?? [])];
  const fitted = withParams(fitSubstituted(configuration.modules, available), params);
  const modules = resolvePaths(fitted, available, dirname(configuration.file));
  const ofModules = checkRequests(available, modules).mistakes.filter(
    // A module that is not known may be one of those that could not be loaded.
    ({ code }) => found.value !== null || code !== errors.ERR_MODULE_UNKNOWN.code,
  );
  const all = [
    ...[...mistakes, ...found.mistakes, ...ofModules].toSorted(byPlace),
    ...(routes?.mistakes ?? []),
  ];
  if (all.length > 0 || routes === null || routes.value === null) throw new ProxyErrors(all);
  checkLogFile(configuration.log.file);
  return { configuration, available, modules, ...routes.value };
}

function withParams(requests: readonly LoadRequest[], params: NonNullable<Sources['params']>): LoadRequest[] {
  const names = new Set(requests.map(({ name }) => name));
  const added = Object.keys(params).filter((name) => !names.has(name));
  return [...requests, ...added.map((name) => ({ name, params: {} }))].map((request) => ({
    ...request,
    params: { ...request.params, ...params[request.name] },
  }));
}

/** The modules of the places that `mpath` names. */
export async function modulesOnPath({ file, mpath, limits }: Configuration): Promise<AnyModule[]> {
  if (mpath.length === 0) return [];
  const entries = mpath.map(({ entry }) => entry);
  const load = (path: string) => importFile(path, limits.startTimeoutMs);
  return loadModulesFrom(entries, dirname(file), load, { placeOf: (index) => mpath[index]?.place });
}

type Settled<T> =
  | { readonly value: T; readonly mistakes: readonly [] }
  | { readonly value: null; readonly mistakes: readonly ProxyError[] };

/** Turns mistakes that are thrown into values. Other errors are faults of the program and go on. */
async function settled<T>(promise: Promise<T>): Promise<Settled<T>> {
  try {
    return { value: await promise, mistakes: [] };
  } catch (error) {
    if (error instanceof ProxyErrors) return { value: null, mistakes: error.errors };
    if (error instanceof ProxyError) return { value: null, mistakes: [error] };
    throw error;
  }
}
