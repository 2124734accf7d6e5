import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyModule } from '../../core/index.ts';
import { builtinModules } from '../../modules/index.ts';
import { filesUnder, read } from '../architecture/source-files.ts';

/** The declarations that editors read, as the build leaves them. */
const DECLARATIONS = filesUnder('dist/modules')
  .filter((file) => file.endsWith('.d.ts'))
  .map((file) => read(file));

/** A function or a pseudo-variable. */
type Documented = Readonly<Record<string, { readonly doc: string }>>;

const modules: readonly (Pick<AnyModule, 'name'> & {
  readonly functions?: Documented;
  readonly pseudoVariables?: Documented;
})[] = builtinModules;
for (const { name, functions = {}, pseudoVariables = {} } of modules) {
  test(`${name}: its types tell an editor what functions and pseudo-variables do`, () => {
    const opening = new RegExp(`^export declare const \\w+: .*ModuleDefinition<"${name}",`, 'm');
    const types = DECLARATIONS.find((text) => opening.test(text));
    assert.ok(types !== undefined);
    for (const [member, { doc }] of Object.entries({ ...functions, ...pseudoVariables })) {
      const at = types.indexOf(`/** ${doc} */\n`);
      assert.ok(at !== -1, `${member}: no comment`);
      const [, declaration = ''] = types.slice(at).split('\n', 2);
      assert.ok(declaration.trim().startsWith(`readonly ${member}: `), declaration);
    }
  });
}
