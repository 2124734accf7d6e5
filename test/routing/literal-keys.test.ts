import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handlerSet } from '../../core/routing/handler-set.ts';
import { literalKeys } from '../../core/routing/literal-keys.ts';
import { load, mistakeLines, moduleOf } from '../registry/fixtures.ts';
import { recordedLog } from '../transport/recorded-log.ts';

const SOURCES: readonly (readonly [string, readonly string[]])[] = [
  ["pv.$mct('call::$ci')", ['call::$ci']],
  ['pv.$mct( "call::$ci" ).set(1)', ['call::$ci']],
  ["pv.$mct('x$(ci)')", ['x$(ci)']],
  ["pv.$mct('calls=>60')", ['calls=>60']],
  ["pv.$mcinc('@limits|calls')", []],
  ["pv.$mct('@limits|calls')", ['@limits|calls']],
  ["pv.$mct('bob@limits|calls')", []],
  ["pv.$mct('calls')", []],
  ["pv.$mct('a=>b')", []],
  ["pv.$mct('price in $')", []],
  ['pv.$mct`call::$ci`', []],
  ['pv.$mct(`call::${ci}`)', []],
  ['pv.$mct(key)', []],
  ["pv.$hdr('X-$ci')", []],
  ["// pv.$mct('call::$ci')", []],
];
for (const [source, expected] of SOURCES) {
  test(`literalKeys: finds ${expected.join(', ') || 'nothing'} in ${source}`, () => {
    assert.deepEqual(
      literalKeys(source, new Set(['$mct'])).map(({ key }) => key),
      expected,
    );
  });
}

test('routes: refuse a plain string that names pseudo-variables as a key, and say what to write', () => {
  const variables = { $mct: { doc: 'X.', expands: true, get: () => null } };
  const { registry } = load([moduleOf('memcached', { pseudoVariables: variables })]);
  const routes = {
    uses: ['memcached'],
    request({ pv }: { pv: { $mct(key: string): { get(): unknown } } }) {
      return pv.$mct('call::$ci').get();
    },
  };
  assert.deepEqual(
    mistakeLines(() => handlerSet(routes, registry, { file: 'routes.ts', log: recordedLog() })),
    [
      "ERR_ROUTE_KEY: routes.ts: request calls $mct('call::$ci'), but a plain string is taken as it stands; write $mct`call::$ci` to have pseudo-variables and lifetime read from it",
    ],
  );
});
