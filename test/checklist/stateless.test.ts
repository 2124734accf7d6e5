import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import { CALLEE, CALLER, header, request, response, vias } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';

const forwardAll = defineRoutes({
  uses: ['corex'],
  async request({ ksr }) {
    await ksr.corex.forward();
  },
});

/** A proxy without transactions. */
const stateless = () => proxyRig(forwardAll, { modules: { corex: {} } });

const ROUTED = {
  uri: 'sip:bob@10.0.0.3:5070;x=1',
  headers: 'Route: <sip:10.0.0.1;lr>, <sip:10.0.0.7:5080;lr>\n',
};

test('checklist 101: without state a CANCEL goes on like any request, with the branch of its INVITE', async () => {
  const rig = await stateless();
  await rig.receive(request(), CALLER);
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  const [invite, cancel, ...more] = rig.take();
  assert.deepEqual(more, [], 'and none answers it here');
  assert.match(cancel!.text, /^CANCEL sip:bob@10\.0\.0\.3 SIP\/2\.0\r\n/);
  assert.equal(header(cancel!.text, 'Max-Forwards'), '69');
  assert.deepEqual(vias(cancel!.text), vias(invite!.text));
});

for (const method of ['INVITE', 'OPTIONS']) {
  test(`checklist 108: without state the retransmission of an ${method} leaves byte for byte as the first, to the same target`, async () => {
    const rig = await stateless();
    for (let i = 0; i < 3; i += 1) {
      await rig.receive(request({ method, ...ROUTED }), CALLER);
      await rig.advance(500);
    }
    const sent = rig.take().map(({ text, to }) => [text, to]);
    assert.equal(sent.length, 3);
    assert.deepEqual(sent[1], sent[0]);
    assert.deepEqual(sent[2], sent[0]);
    assert.match(sent[0]![0]!, new RegExp(`^${method} `));
  });
}

test('checklist 109: without state no 1xx is made here, and nothing sent again', async () => {
  const rig = await stateless();
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), ['INVITE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
  await rig.advance(60_000);
  assert.deepEqual(rig.take(), []);
});

test('checklist 109: without state a response goes by its Vias alone: ours is taken off, the next says where to', async () => {
  const rig = await stateless();
  await rig.receive(request({ sentBy: '10.0.0.2:5071' }), CALLER);
  const [invite] = rig.take();
  for (const status of [100, 180, 200]) {
    const answer = response(invite!.text, status);
    await rig.receive(answer, CALLEE);
    const [sent, ...more] = rig.take();
    assert.deepEqual(more, []);
    assert.equal(sent!.to, '10.0.0.2:5071');
    assert.equal(sent!.text, answer.replace(/^Via: .*\n/m, '').replaceAll('\n', '\r\n'));
  }
});

for (const method of ['CANCEL', 'ACK']) {
  test(`checklist 110: without state an ${method} of an INVITE takes its way, by Route and Request-URI`, async () => {
    const rig = await stateless();
    for (const parts of [{}, ROUTED]) {
      await rig.receive(request(parts), CALLER);
      await rig.receive(request({ ...parts, method, toTag: method === 'ACK' ? 'bob' : '' }), CALLER);
      const [invite, other, ...more] = rig.take();
      assert.deepEqual(more, []);
      assert.match(other!.text, new RegExp(`^${method} `));
      assert.equal(other!.to, invite!.to);
      assert.equal(header(other!.text, 'Route'), header(invite!.text, 'Route'));
    }
  });
}
