import type { AnyModule } from '../registry/module.ts';
import { describeModule } from '../registry/describe.ts';
import { didYouMean } from '../registry/nearest.ts';
import { modulesOnPath, type Sources } from './assemble.ts';
import { readConfiguration } from './configuration.ts';
import { report } from './run.ts';

/** Prints the modules there are, or all that one of them exports, from the declarations. Returns the exit code. */
export async function listModules(name: string | null, sources: Sources): Promise<number> {
  const modules = await modulesThereAre(sources);
  if (name === null) {
    process.stdout.write(modulesText(modules));
    return 0;
  }
  const module = modules.find((each) => each.name === name);
  if (module === undefined) {
    process.stderr.write(
      `no module named '${name}'${didYouMean(
        name,
        modules.map((each) => each.name),
      )}\n`,
    );
    return 1;
  }
  process.stdout.write(moduleText(module));
  return 0;
}

/** The modules of the build and those that the configuration names places for; what keeps the latter from being loaded is printed. */
export async function modulesThereAre(sources: Sources): Promise<readonly AnyModule[]> {
  const modules = [...(await sources.builtin())];
  try {
    // A configuration that is missing or wrong names no places; that is not what was asked about.
    modules.push(...(await modulesOnPath(readConfiguration(sources.file, sources).configuration)));
  } catch (error) {
    report(error);
  }
  return modules;
}

/** One line for each module. */
export function modulesText(modules: readonly AnyModule[]): string {
  const sorted = modules.toSorted((a, b) => a.name.localeCompare(b.name));
  return table(
    sorted.map(({ name, doc }) => [name, doc]),
    '',
  );
}

/** All that a module exports. */
export function moduleText(module: AnyModule): string {
  const { name, doc, depends, params, variables, functions } = describeModule(module);
  return [
    `${name}: ${doc}\n`,
    `depends on: ${depends.length === 0 ? 'nothing' : depends.join(', ')}\n`,
    section(
      'parameters',
      params.map((each) => [
        each.name,
        `${each.doc} ${capital(each.expected)}; default ${JSON.stringify(each.default)}.`,
      ]),
    ),
    section(
      'pseudo-variables',
      variables.map((each) => [
        each.parentheses ? `${each.name}(...)` : each.name,
        // Many texts say to what, and some no more than that.
        `${each.doc}${each.settable && !each.doc.includes('Can be set') ? ' Can be set.' : ''}`,
      ]),
    ),
    section(
      'functions',
      functions.map((each) => [
        `${each.name}${each.signature}`,
        `${each.doc} Routes: ${each.routes.join(', ')}.`,
      ]),
    ),
  ].join('\n');
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  return `${title}:\n${rows.length === 0 ? '  none\n' : table(rows, '  ')}`;
}

/** Longest first column that others are lined up with, chars; after a longer one the text goes to the next line. */
const MAX_NAME_CHARS = 24;

function table(rows: readonly (readonly [string, string])[], indent: string): string {
  const width = Math.max(...rows.map(([name]) => (name.length <= MAX_NAME_CHARS ? name.length : 0)));
  return rows
    .map(([name, text]) => {
      const gap =
        name.length <= width ? ' '.repeat(width - name.length + 2) : `\n${indent}${' '.repeat(width + 2)}`;
      return `${indent}${name}${gap}${text}\n`;
    })
    .join('');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
