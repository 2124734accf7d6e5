import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineModule, param } from '../../core/index.ts';
import { moduleText, modulesText } from '../../core/main/module-listing.ts';

const sample = defineModule({
  name: 'sample',
  doc: 'Shows what a listing looks like.',
  depends: [],
  params: {
    wait: param.int({ default: 250, min: 1, max: 1000, unit: 'ms', doc: 'A wait.' }),
    name: param.string({ default: 'x', doc: 'A name.' }),
  },
  init: () => ({}),
  pseudoVariables: {
    $here: { doc: 'Where.', plain: true, get: () => 'here' },
    $box: {
      doc: 'A box.',
      get: (_call, key: string) => key,
      set: (_call, _value: string, _key: string) => undefined,
    },
    $lid: {
      doc: 'A lid. Can be set to a text.',
      plain: true,
      get: () => 'on',
      set: (_call, _value: string) => undefined,
    },
  },
  functions: {
    stay: { on: 'any', doc: 'Stays.', signature: '(): boolean', call: () => true },
    go_far_away: {
      on: 'request',
      routes: ['request'],
      doc: 'Goes.',
      signature: '(where: string, when: number): boolean',
      call: () => true,
    },
  },
});
const bare = defineModule({
  name: 'bare',
  doc: 'Has nothing.',
  depends: [],
  params: {},
  init: () => ({}),
  pseudoVariables: {},
  functions: {},
});

test('modules: are listed by name, one line each', () => {
  assert.equal(
    modulesText([sample, bare]),
    'bare    Has nothing.\nsample  Shows what a listing looks like.\n',
  );
});

test('modules: one is shown with all that it exports', () => {
  assert.equal(
    moduleText(sample),
    `sample: Shows what a listing looks like.

depends on: nothing

parameters:
  wait  A wait. An integer from 1 to 1000 (ms); default 250.
  name  A name. A string; default "x".

pseudo-variables:
  $here      Where.
  $box(...)  A box. Can be set.
  $lid       A lid. Can be set to a text.

functions:
  stay(): boolean  Stays. Routes: request, reply, onreply, failure, branch.
  go_far_away(where: string, when: number): boolean
                   Goes. Routes: request.
`,
  );
});

test('modules: one without exports says so', () => {
  assert.match(
    moduleText(bare),
    /parameters:\n {2}none\n\npseudo-variables:\n {2}none\n\nfunctions:\n {2}none\n$/,
  );
});
