/** The examples of RFC 3261 16.12, as the test material has them, through the whole proxy. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CALLER, request } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';
import { material } from '../torture/material.ts';
import { forwarded, linesOf, recordRoute } from './relaying.ts';

interface Vector {
  readonly case: string;
  readonly me: string;
  readonly ruri: string;
  readonly route: readonly string[];
  readonly out_ruri: string;
  readonly out_route: readonly string[];
  readonly next_hop: string;
}

const file = material('rfc_vectors.json');
const vectors: readonly Vector[] =
  file === null ? [] : JSON.parse(readFileSync(file, 'utf8'))['route_processing_rfc3261_16.12'];

test(
  'routing of RFC 3261 16.12: there are the five examples of RFC 3261 16.12',
  {
    skip: file === null && 'no test material: rfc_vectors.json',
  },
  () => assert.equal(vectors.length, 5),
);

for (const vector of vectors) {
  test(`routing of RFC 3261 16.12: ${vector.case}`, async () => {
    const asked: string[] = [];
    const rig = await proxyRig(recordRoute, {
      alias: [{ host: vector.me, port: null }],
      lookup(host, _family, done) {
        asked.push(host);
        done(null, '10.0.0.33');
      },
    });
    const headers = vector.route.map((value) => `Route: ${value}\n`).join('');
    await rig.receive(request({ uri: vector.ruri, headers, toTag: 'bob' }), CALLER);
    const { text, to } = forwarded(rig.take());
    assert.equal(text.split(' ', 2)[1], vector.out_ruri);
    assert.deepEqual(
      linesOf(text, 'Route'),
      vector.out_route.map((value) => `Route: ${value}`),
    );
    assert.deepEqual(asked, [vector.next_hop]);
    assert.equal(to, '10.0.0.33:5060');
  });
}
