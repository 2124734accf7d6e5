import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handlerSet } from '../../core/routing/handler-set.ts';
import { wrongChoices } from '../../core/routing/wrong-choices.ts';
import { xlog } from '../../modules/xlog/xlog.ts';
import { load, mistakeLines } from '../registry/fixtures.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const SOURCES: readonly (readonly [string, readonly string[]])[] = [
  ["ksr.xlog.xlog('INFO', 'x')", ['xlog.xlog INFO']],
  ['ksr.xlog.xlog(\n  "info",\n  text)', ['xlog.xlog info']],
  ['xlog.xlog(`$var(level)`, `x ${y}`)', ['xlog.xlog $var(level)']],
  ["ksr.xlog.xlog('L_INFO', 'x')", []],
  ["ksr.xlog.xlog('INFO')", []],
  ["ksr.xlog.xlog('INFO',)", []],
  ["ksr.xlog.xlog('INFO', )", []],
  ["ksr.xlog.xlog(level, 'x')", []],
  ["ksr.xlog.xlog(`L_${level}`, 'x')", []],
  ["ksr.xlog.xlog('L_' + level, 'x')", []],
  ["ksr.other.xlog('INFO', 'x')", []],
  ["// ksr.xlog.xlog('INFO', 'x')", []],
];
for (const [source, expected] of SOURCES) {
  test(`wrongChoices: finds ${expected.join(', ') || 'nothing'} in ${JSON.stringify(source)}`, () => {
    const found = wrongChoices(source, new Map([['xlog.xlog', ['L_ERR', 'L_INFO']]]));
    assert.deepEqual(
      found.map(({ fn, given }) => `${fn} ${given}`),
      expected,
    );
  });
}

test('routes: refuse a level of xlog that does not exist', () => {
  const { registry } = load([xlog]);
  const routes = {
    uses: ['xlog'],
    request({ ksr, level }: { ksr: { xlog: { xlog(...texts: string[]): void } }; level: string }) {
      ksr.xlog.xlog('INFO', 'x');
      ksr.xlog.xlog(level, 'x');
      ksr.xlog.xlog('L_DEBUG', 'x');
    },
  };
  const levels = 'L_ALERT, L_CRIT, L_ERR, L_WARN, L_NOTICE, L_INFO, L_DBG';
  assert.deepEqual(
    mistakeLines(() => handlerSet(routes, registry, { file: 'routes.ts', log: recordedLog() })),
    [
      `ERR_ROUTE_CHOICE: routes.ts: request calls xlog.xlog with 'INFO': expected one of ${levels}`,
      `ERR_ROUTE_CHOICE: routes.ts: request calls xlog.xlog with 'L_DEBUG': expected one of ${levels}; did you mean 'L_DBG'?`,
    ],
  );
});
