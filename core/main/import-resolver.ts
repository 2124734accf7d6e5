import { readFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';

/** The public face of the package that runs: what `kamaiki` means in every file that the proxy loads. */
const KAMAIKI_URL = new URL('../index.js', import.meta.url).href;

/** Marks the plugin's own questions to esbuild, which come back to it. */
const ASKED = 'asked by the import resolver';

/**
 * Decides what each import of a loaded file becomes: `kamaiki` is the running package, npm packages and Node.js's own modules stay
 * imports, and the files next to the loaded one are taken into its bundle.
 */
export function resolveImports(): Plugin {
  return {
    name: 'kamaiki-imports',
    setup(build) {
      build.onResolve({ filter: /^kamaiki($|\/)/ }, ({ path }) =>
        path === 'kamaiki'
          ? { path: KAMAIKI_URL, external: true }
          : { errors: [{ text: `'${path}' is not public: import from 'kamaiki'` }] },
      );
      build.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true }));
      build.onResolve({ filter: /^file:/ }, ({ path }) => ({ path: fileURLToPath(path) }));
      build.onResolve({ filter: /./ }, async (args) =>
        args.pluginData === ASKED || args.kind === 'entry-point' ? null : resolve(build, args),
      );
    },
  };
}

async function resolve(build: PluginBuild, args: OnResolveArgs): Promise<OnResolveResult> {
  const { path, importer, resolveDir, kind } = args;
  const found = await build.resolve(path, { importer, resolveDir, kind, pluginData: ASKED });
  if (found.errors.length > 0) return { errors: [{ text: `cannot find '${path}'` }] };
  if (found.external) return { path: found.path, external: true };
  if (isBundled(found.path)) return { path: found.path };
  return { path: pathToFileURL(found.path).href, external: true };
}

/** Own files are bundled, and so are TypeScript files of packages, which Node.js 20 cannot run. Native and CommonJS files never are. */
function isBundled(path: string): boolean {
  const extension = extname(path);
  if (extension === '.cjs' || extension === '.node') return false;
  return !/[\\/]node_modules[\\/]/.test(path) || /^\.[cm]?tsx?$/.test(extension);
}

/**
 * Keeps `import.meta.url`, `filename` and `dirname` true for every bundled file: they name the source, not the bundle.
 */
export function importMeta({ transform }: Pick<typeof import('esbuild'), 'transform'>): Plugin {
  return {
    name: 'kamaiki-import-meta',
    setup(build) {
      build.onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        if (!source.includes('import.meta')) return null;
        const result = await transform(source, {
          loader: /\.[cm]?ts$/.test(path) ? 'ts' : 'js',
          target: 'node20',
          charset: 'utf8',
          sourcemap: 'inline',
          sourcefile: path,
          sourcesContent: false,
          tsconfigRaw: {},
          define: {
            'import.meta.url': JSON.stringify(pathToFileURL(path).href),
            'import.meta.filename': JSON.stringify(path),
            'import.meta.dirname': JSON.stringify(dirname(path)),
          },
          // A syntax error: told by the bundler itself, with its place, when it reads the file.
        }).catch(() => null);
        return result === null ? null : { contents: result.code, loader: 'js' };
      });
    },
  };
}
