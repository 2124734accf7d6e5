import { closeSync, openSync, rmSync } from 'node:fs';
import { access, constants, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Message } from 'esbuild';
import { errors, type Place, type ProxyError, ProxyErrors } from '../errors.ts';
import { isFields } from '../registry/fields.ts';
import { nearestName } from '../registry/nearest.ts';
import type { Routes } from '../registry/routes.ts';
import { messageOf } from '../registry/shown.ts';
import type { PlaceOf } from '../routing/handler-set.ts';
import { bundlePlaces } from './bundle-places.ts';
import { LIMIT_KEYS } from './configuration-keys.ts';
import { importMeta, resolveImports } from './import-resolver.ts';

// TypeScript is bundled by esbuild into one file that Node.js imports. Measured against jiti on Node.js 20, for a file that imports
// another one: 55 ms and 12 MB here, 220 ms and 38 MB there. A bundle also makes a reload take in every file that the routes import.

/** File descriptors that must be free before esbuild's process is started: it takes 6, and other threads may open some meanwhile. */
const SPARE_DESCRIPTORS = 16;

/**
 * Frames that errors keep: V8's 10 may all stand in the core and its modules. An error made on a stack of 60 costs three times as much by that
 * (45 us, not 15); for a call that goes well none is made.
 */
const STACK_FRAMES = 40;

/** Bundles under way: esbuild's service process is stopped when the last one ends, so that it holds no memory. */
let bundling = 0;

/** Longest run of a file's own code while it loads, ms, unless told: the default of `limits.start_timeout`. */
const LOAD_TIMEOUT_MS = LIMIT_KEYS.start_timeout.default;

/** The routes of a file. */
export interface LoadedRoutes {
  readonly routes: Routes;
  /** Finds what stands in the handlers in the files that they were written in. */
  readonly placeOf: PlaceOf;
}

/**
 * Loads a routes file, TypeScript or JavaScript, from anywhere on disk, with every file that it imports. Each call loads them anew.
 *
 * @throws ERR_ROUTE_SYNTAX, ERR_ROUTE_LOAD, ERR_ROUTE_DEFAULT (several in one ProxyErrors).
 */
export async function loadRoutes(file: string, timeoutMs: number = LOAD_TIMEOUT_MS): Promise<LoadedRoutes> {
  const { exported, code } = await importBundle(file, timeoutMs);
  const routes = exported['default'];
  if (isRoutes(routes)) return { routes, placeOf: bundlePlaces(code, dirname(file)) };
  throw errors.ERR_ROUTE_DEFAULT.at(startOf(file), otherThanRoutes(routes));
}

/**
 * Imports a TypeScript or JavaScript file from anywhere on disk and returns what it exports; `kamaiki` is the running package.
 * Each call loads it anew, and what was loaded before stays in memory until the process ends: V8 keeps every module.
 *
 * @throws ERR_ROUTE_SYNTAX, ERR_ROUTE_LOAD (several in one ProxyErrors).
 */
export async function importFile(
  file: string,
  timeoutMs: number = LOAD_TIMEOUT_MS,
): Promise<Record<string, unknown>> {
  return (await importBundle(file, timeoutMs)).exported;
}

interface ImportedBundle {
  readonly exported: Record<string, unknown>;
  readonly code: Uint8Array;
}

async function importBundle(file: string, timeoutMs: number): Promise<ImportedBundle> {
  await access(file, constants.R_OK).catch((cause: unknown) => {
    throw loadError(startOf(file), messageOf(cause), cause);
  });
  if ((await stat(file)).isDirectory())
    throw loadError(startOf(file), 'it is a folder: expected the path of a file', null);
  const code = await bundle(file);
  // Stack frames then name the .ts file and line. Not at start: it makes Node.js read the source map of every file it loads.
  process.setSourceMapsEnabled(true);
  // The line of the routes stands below the functions of the core and the modules that it calls.
  Error.stackTraceLimit = STACK_FRAMES;
  const folder = await mkdtemp(join(tmpdir(), 'kamaiki-')).catch((cause: unknown) => {
    throw loadError(
      startOf(file),
      `the folder for temporary files (TMPDIR) does not serve: ${messageOf(cause)}`,
      cause,
    );
  });
  // What is loaded may end the process.
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    // A file, not a data: URL: Node.js 20 applies source maps only to URLs with a host part.
    const bundled = join(folder, `${basename(file)}.mjs`);
    await writeFile(bundled, code);
    const imported: Promise<Record<string, unknown>> = import(pathToFileURL(bundled).href);
    const exported = await within(imported, timeoutMs);
    if (exported !== null) return { exported, code };
  } catch (cause) {
    throw loadError(placeOf(cause, folder) ?? startOf(file), messageOf(cause), cause);
  } finally {
    process.off('exit', remove);
    await rm(folder, { recursive: true, force: true });
  }
  throw errors.ERR_ROUTE_LOAD.at(
    startOf(file),
    `an await outside the handlers has not ended within ${timeoutMs} ms (limits.start_timeout)`,
  );
}

/**
 * What the promise gives; null when that takes longer. An `await` outside the handlers may never end: the start would hang, and each reload after it.
 */
async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, null);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function bundle(file: string): Promise<Uint8Array> {
  const esbuild = await import('esbuild');
  bundling++;
  try {
    checkDescriptors(file);
    const folder = dirname(file);
    const result = await esbuild.build({
      entryPoints: [file],
      absWorkingDir: folder,
      outdir: folder,
      write: false,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      charset: 'utf8',
      sourcemap: 'inline',
      sourcesContent: false,
      sourceRoot: `${pathToFileURL(folder).href}/`,
      logLevel: 'silent',
      // As Node.js resolves packages, without the bundlers' own `module` field.
      mainFields: ['main'],
      conditions: [],
      // No tsconfig.json near the file changes what the code means.
      tsconfigRaw: {},
      plugins: [resolveImports(), importMeta(esbuild)],
    });
    return result.outputFiles[0]?.contents ?? new Uint8Array();
  } catch (cause) {
    throw bundleErrors(file, cause);
  } finally {
    if (--bundling === 0) await esbuild.stop();
  }
}

/**
 * Throws where a process could not be started for lack of file descriptors: esbuild then hears no error of its own, and the error that no one hears would
 * stop the proxy. No `await` may stand between this and the call of esbuild, which starts its process.
 */
function checkDescriptors(file: string): void {
  const opened: number[] = [];
  try {
    while (opened.length < SPARE_DESCRIPTORS) opened.push(openSync(file, 'r'));
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

function bundleErrors(file: string, cause: unknown): ProxyError | ProxyErrors {
  const messages: readonly Message[] =
    isFields(cause) && Array.isArray(cause['errors']) ? cause['errors'] : [];
  const found = messages.map((message) => {
    const place = placeOfMessage(message, dirname(file)) ?? startOf(file);
    // What the bundler itself says is about syntax; what an import leads to is said by the plugins.
    return message.pluginName === ''
      ? errors.ERR_ROUTE_SYNTAX.at(place, message.text)
      : loadError(place, message.text, cause);
  });
  const [first, ...others] = found;
  if (first === undefined) return loadError(startOf(file), messageOf(cause), cause);
  return others.length === 0 ? first : new ProxyErrors(found);
}

function placeOfMessage({ location }: Message, folder: string): Place | null {
  if (location === null) return null;
  // esbuild counts columns from 0 and in UTF-8 bytes.
  const before = Buffer.from(location.lineText).subarray(0, location.column).toString();
  return { file: join(folder, location.file), line: location.line, column: before.length + 1 };
}

/** Where an error was thrown, from the first stack frame that stands in a file of the user. */
function placeOf(cause: unknown, temporary: string): Place | null {
  const stack = cause instanceof Error ? (cause.stack ?? '') : '';
  for (const [, file, line, column] of stack.matchAll(/^ +at (?:.*\()?(\/.*):(\d+):(\d+)\)?$/gm)) {
    if (file !== undefined && !file.startsWith(temporary))
      return { file, line: Number(line), column: Number(column) };
  }
  return null;
}

function startOf(file: string): Place {
  return { file, line: 1, column: 1 };
}

function loadError(place: Place, text: string, cause: unknown): ProxyError {
  return Object.assign(errors.ERR_ROUTE_LOAD.at(place, text), { cause });
}

/** What a default export is that is no routes: what is missing in it, where it is an object. */
function otherThanRoutes(value: unknown): string {
  if (value === undefined) return 'no default export';
  if (!isFields(value)) return 'a default export of another kind';
  const keys = Object.keys(value);
  if (typeof value['request'] !== 'function')
    return `no function \`request\` in it${didYouMeanOf('request', keys)}`;
  return value['uses'] === undefined
    ? `no \`uses\` in it${didYouMeanOf('uses', keys)}`
    : 'a `uses` in it that is no list of module names';
}

/** A hint where a key seems to be meant for this one. */
function didYouMeanOf(name: string, keys: readonly string[]): string {
  const meant = keys.find((key) => key !== name && nearestName(key, [name]) === name);
  return meant === undefined ? '' : `, but \`${meant}\`: did you mean \`${name}\`?`;
}

/** Whether a default export has the shape that `defineRoutes` takes; what stands inside is checked against the modules later. */
function isRoutes(value: unknown): value is Routes {
  if (!isFields(value)) return false;
  const { uses, request } = value;
  return (
    Array.isArray(uses) && uses.every((name) => typeof name === 'string') && typeof request === 'function'
  );
}
