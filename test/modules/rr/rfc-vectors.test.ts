import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { rr } from '../../../modules/rr/rr.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, request } from '../fake-core.ts';
import { asSent } from './as-sent.ts';

interface Vector {
  readonly case: string;
  readonly me: string;
  readonly responsible: readonly string[];
  readonly ruri: string;
  readonly route: readonly string[];
  readonly out_ruri: string;
  readonly out_route: readonly string[];
  readonly next_hop: string;
}

const file = join(process.env['KAMAIKI_TEST_MATERIAL'] ?? '../shared/tests', 'rfc_vectors.json');
const skip = existsSync(file) ? false : `${file} is not there`;

test('loose_route: the examples of RFC 3261 16.12 come out as they stand there', { skip }, async () => {
  const vectors: Vector[] = JSON.parse(readFileSync(file, 'utf8'))['route_processing_rfc3261_16.12'];
  assert(vectors.length >= 5);
  for (const vector of vectors) {
    const msg = request({
      uri: vector.ruri,
      to: '<sip:callee@example.com>;tag=tb1',
      headers: vector.route.map((value) => `Route: ${value}`),
    });
    const params = { enable_full_lr: false, append_fromtag: true, enable_double_rr: true };
    const core = fakeCore({ myself: [vector.me, ...vector.responsible] });
    const state = rr.init({ params, log: recordedLog(), core, deps: {} });
    assert.equal(rr.functions.loose_route.call(callOf(state, msg)), true, vector.case);
    assert.deepEqual(
      await asSent(msg, core),
      { uri: vector.out_ruri, routes: vector.out_route, host: vector.next_hop },
      vector.case,
    );
  }
});
