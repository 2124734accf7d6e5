/**
 * Writes what the modules' declarations say of their functions and pseudo-variables into the declaration files that tsc made, where editors look for it. Part of
 * `npm run build`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const MODULES = resolve(import.meta.dirname, '../dist/modules');

const { builtinModules } = await import(join(MODULES, 'index.js'));
for (const { name, functions = {}, pseudoVariables = {} } of builtinModules) {
  const file = declarationFileOf(name);
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const [member, { doc }] of Object.entries({ ...pseudoVariables, ...functions })) {
    const start = `readonly ${member}: `;
    const at = lines.findIndex((line) => line.trimStart().startsWith(start));
    if (at === -1) throw new Error(`${file}: no declaration of ${member}`);
    const indent = lines[at].slice(0, lines[at].indexOf('readonly'));
    lines.splice(at, 0, `${indent}/** ${doc.replaceAll('*/', '*\\/')} */`);
  }
  writeFileSync(file, lines.join('\n'));
}

/** The file with the type of a module: `export declare const maxfwd: ...`. */
function declarationFileOf(name) {
  const folder = join(MODULES, name);
  const opening = new RegExp(`^export declare const \\w+: .*\\bModuleDefinition<"${name}",`, 'm');
  const found = readdirSync(folder)
    .filter((file) => file.endsWith('.d.ts'))
    .map((file) => join(folder, file))
    .find((file) => opening.test(readFileSync(file, 'utf8')));
  if (found === undefined) throw new Error(`${folder}: no declaration of the module ${name}`);
  return found;
}
