import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeModule } from '../../core/registry/describe.ts';
import { builtinModules } from '../../modules/index.ts';
import { filesUnder, read } from './source-files.ts';

/** A README's lines as they read: table cells may hold `\|`, and any number of spaces. */
function linesOf(readme: string): string[] {
  return readme.split('\n').map((line) => line.replaceAll('\\|', '|').replaceAll(/\s+/g, ' '));
}

function squeeze(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** How a default may be written. */
function writtenDefaults(value: unknown): string[] {
  return [`\`${JSON.stringify(value)}\``, `\`${String(value)}\``, ...(value === '' ? ['empty', 'none'] : [])];
}

for (const module of builtinModules) {
  const { name, doc, params, variables, functions } = describeModule(module);
  const file = `modules/${name}/README.md`;

  test(`module README: ${name} says what the module is for`, () => {
    assert.ok(read(file).startsWith(`# ${name}\n`), `${file} begins with # ${name}`);
    assert.ok(squeeze(read(file)).includes(squeeze(doc)), `${file} lacks: ${doc}`);
  });

  test(`module README: ${name} has every parameter with default, unit and meaning in one table row`, () => {
    const lines = linesOf(read(file));
    for (const param of params) {
      const row = lines.find((line) => line.startsWith(`| \`${param.name}\` |`));
      assert.ok(row !== undefined, `${file} has no row for the parameter ${param.name}`);
      const cells = row.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$/g, '').trim());
      const defaults = writtenDefaults(param.default);
      assert.ok(
        cells.some((cell) => defaults.includes(cell)),
        `${param.name}: default is ${defaults.join(' or ')}`,
      );
      if (param.unit !== '') assert.ok(cells.includes(param.unit), `${param.name}: unit is ${param.unit}`);
      assert.ok(row.includes(squeeze(param.doc)), `${param.name}: meaning is ${param.doc}`);
    }
  });

  test(`module README: ${name} has every pseudo-variable with its meaning`, () => {
    const lines = linesOf(read(file));
    const text = squeeze(lines.join(' '));
    for (const variable of variables) {
      const names = [`\`${variable.name}\``, ...(variable.parentheses ? [`\`${variable.name}(`] : [])];
      assert.ok(
        names.some((written) => text.includes(written)),
        `${file} has no ${names.join(' or ')}`,
      );
      assert.ok(text.includes(squeeze(variable.doc)), `${variable.name}: meaning is ${variable.doc}`);
    }
  });

  test(`module README: ${name} has every function with its signature and meaning`, () => {
    const text = squeeze(linesOf(read(file)).join(' '));
    for (const fn of functions) {
      const signature = squeeze(fn.signature);
      // In a list or in a table.
      const forms = [`\`${fn.name}${signature}\``, `| \`${fn.name}\` | \`${signature}\` |`];
      assert.ok(
        forms.some((written) => text.includes(written)),
        `${file} has no ${forms.join(' or ')}`,
      );
      assert.ok(text.includes(squeeze(fn.doc)), `${fn.name}: meaning is ${fn.doc}`);
    }
  });

  test(`module README: ${name} lists no parameter that the module lacks`, () => {
    const section = /\n## Parameters\n([\s\S]*?)(?:\n## |$)/.exec(read(file))?.[1] ?? '';
    const listed = [...section.matchAll(/^\| `([^`]+)`/gm)].flatMap((match) => match[1] ?? []);
    assert.deepEqual(listed.toSorted(), params.map((param) => param.name).toSorted());
  });
}

test('module README: every module folder belongs to a built-in module', () => {
  const folders = new Set(
    filesUnder('modules').flatMap((file) => /^modules\/([^/]+)\//.exec(file)?.[1] ?? []),
  );
  assert.deepEqual([...folders].toSorted(), builtinModules.map((module) => module.name).toSorted());
});
