import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handlerSet } from '../../core/routing/handler-set.ts';
import { literalFormats } from '../../core/routing/literal-formats.ts';
import { load, mistakeLines, moduleOf } from '../registry/fixtures.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const SOURCES: readonly (readonly [string, readonly string[]])[] = [
  ["ksr.xlog.xinfo('$rm')", ['xlog.xinfo $rm']],
  ['xlog . xinfo("$rm")', []],
  ['ksr.xlog.xinfo( "it\'s $rm\\n" )', ["xlog.xinfo it's $rm "]],
  ["ksr.xlog.xlog('L_INFO', '$rm $ru',)", ['xlog.xlog $rm $ru']],
  ['ksr.xlog.xlog(\n  "L_INFO",\n  `$rm`,\n)', ['xlog.xlog $rm']],
  ['ksr.xlog.xinfo(`$rm ${x}`)', []],
  ["ksr.xlog.xinfo('$rm' + x)", []],
  ["ksr.xlog.xinfo('\\$rm')", []],
  ["ksr.xlog.xinfo('plain')", []],
  ['ksr.xlog.xinfo(format)', []],
  ["ksr.other.xinfo('$rm')", []],
  ["// ksr.xlog.xinfo('$rm')", []],
];
for (const [source, expected] of SOURCES) {
  test(`literalFormats: finds ${expected.join(', ') || 'nothing'} in ${JSON.stringify(source)}`, () => {
    const found = literalFormats(source, new Set(['xlog.xinfo', 'xlog.xlog']));
    assert.deepEqual(
      found.map(({ fn, format }) => `${fn} ${format}`),
      expected,
    );
  });
}

test('routes: refuse formats with variables that do not exist or are written wrongly', () => {
  const write = {
    doc: 'W.',
    signature: '(format: string): void',
    on: 'any',
    call: (): void => undefined,
  } as const;
  const { registry } = load([
    moduleOf('xlog', { functions: { xdbg: { ...write, expands: true }, xraw: write } }),
    moduleOf('pv', { pseudoVariables: { $rm: { doc: 'R.', plain: true, get: () => 'INVITE' } } }),
  ]);
  const routes = {
    uses: ['xlog'],
    // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- a handler as a JavaScript file has it
    request: new Function(
      '{ ksr }',
      "ksr.xlog.xdbg('typo $rmm here'); ksr.xlog.xdbg('$rm costs $$5'); ksr.xlog.xdbg('$rm(x'); ksr.xlog.xraw('$rmm');",
    ),
  };
  assert.deepEqual(
    mistakeLines(() => handlerSet(routes, registry, { file: 'routes.ts', log: recordedLog() })),
    [
      "ERR_ROUTE_FORMAT: routes.ts: request calls xlog.xdbg with the format 'typo $rmm here': no pseudo-variable named '$rmm'; did you mean '$rm'?",
      "ERR_ROUTE_FORMAT: routes.ts: request calls xlog.xdbg with the format '$rm(x': '$rm(x', offset 3: this parenthesis is not closed",
    ],
  );
});
