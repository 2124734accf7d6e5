import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { CALLEE, CALLER, header, request, response, vias } from '../tm/messages.ts';

const WITHOUT_TM = { modules: { pv: {}, sl: {}, corex: {} } };
const WITH_TM = { modules: { pv: {}, sl: {}, corex: {}, tm: {} } };

const forwardAll = defineRoutes({
  uses: ['corex', 'sl'],
  async request({ msg, ksr }) {
    if (!(await ksr.corex.forward()) && msg.method !== 'ACK') ksr.sl.sl_send_reply(478, 'Unresolvable');
  },
});

async function forwarding(message = request(), options = WITHOUT_TM) {
  const rig = await proxyRig(forwardAll, options);
  await rig.receive(message, CALLER);
  return { rig, sent: rig.take() };
}

test('forward: without tm the request goes on, no 100 comes back, nothing is sent again', async () => {
  const { rig, sent } = await forwarding();
  assert.deepEqual(
    sent.map(({ text, to }) => [text.split('\r\n', 1)[0], to]),
    [['INVITE sip:bob@10.0.0.3 SIP/2.0', '10.0.0.3:5060']],
  );
  assert.equal(header(sent[0]!.text, 'Max-Forwards'), '69');
  assert.equal(header(sent[0]!.text, 'Max-Breadth'), '60');
  await rig.advance(60_000);
  assert.deepEqual(rig.take(), []);
  assert.equal(rig.clock.pending, 0);
});

test('forward: a retransmission goes on byte for byte as the first time, also from another proxy', async () => {
  const { rig, sent } = await forwarding();
  await rig.receive(request(), CALLER);
  const other = await forwarding();
  assert.deepEqual([rig.take()[0]!.text, other.sent[0]!.text], [sent[0]!.text, sent[0]!.text]);
});

for (const method of ['CANCEL', 'ACK']) {
  test(`forward: the ${method} goes where its INVITE went, with its branch`, async () => {
    const { rig, sent } = await forwarding();
    await rig.receive(request({ method, toTag: method === 'ACK' ? 'bob' : '' }), CALLER);
    const [second] = rig.take();
    assert.ok(second!.text.startsWith(`${method} `));
    assert.equal(second!.to, sent[0]!.to);
    assert.equal(vias(second!.text)[0], vias(sent[0]!.text)[0]);
  });
}

test('forward: responses of every kind go back by their Via', async () => {
  const { rig, sent } = await forwarding();
  for (const status of [100, 180, 200, 486]) await rig.receive(response(sent[0]!.text, status), CALLEE);
  const back = rig.take();
  assert.deepEqual(
    back.map(({ text, to }) => [text.slice(8, 11), to]),
    ['100', '180', '200', '486'].map((code) => [code, '10.0.0.2:5060']),
  );
  assert.equal(vias(back[0]!.text).length, 1);
});

test('forward: to a URI of its own, which leaves $du and Request-URI as they are', async () => {
  const seen: unknown[] = [];
  const routes = defineRoutes({
    uses: ['corex', 'pv'],
    async request({ ksr, pv }) {
      await ksr.corex.forward('sip:10.0.0.7:5070');
      seen.push(pv.$du.get());
    },
  });
  const rig = await proxyRig(routes, WITHOUT_TM);
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), ['INVITE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.7:5070']);
  assert.deepEqual(seen, [null]);
});

test('forward: false when there is no next hop: the route answers', async () => {
  const { sent } = await forwarding(request({ uri: 'sip:bob@example.org' }));
  assert.deepEqual(
    sent.map(({ text }) => text.slice(8, 11)),
    ['478'],
  );
});

test('forward: Max-Forwards 0 and Max-Breadth 0 are not forwarded', async () => {
  for (const message of [
    request().replace('Max-Forwards: 70', 'Max-Forwards: 0'),
    request({ headers: 'Max-Breadth: 0\n' }),
  ]) {
    const { sent } = await forwarding(message);
    assert.deepEqual(
      sent.map(({ text }) => text.slice(8, 11)),
      ['478'],
    );
  }
});

test('forward: a URI that is none is named (ERR_URI_SYNTAX)', async () => {
  const routes = defineRoutes({
    uses: ['corex'],
    request: ({ ksr }) => ksr.corex.forward('bob at home'),
  });
  const rig = await proxyRig(routes, WITHOUT_TM);
  await rig.receive(request(), CALLER);
  assert.match(rig.lines('error')[0] ?? '', /forward: "bob at home" is not a valid URI/);
});

test('forward with tm loaded: keeps no transaction, and responses still go back', async () => {
  const { rig, sent } = await forwarding(request(), WITH_TM);
  assert.deepEqual(
    sent.map(({ to }) => to),
    ['10.0.0.3:5060'],
  );
  assert.equal(rig.clock.pending, 0);
  await rig.receive(response(sent[0]!.text, 200), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 Any -> 10.0.0.2:5060']);
});

test('forward with tm loaded: responses that belong to nothing are dropped as ever', async () => {
  const { rig, sent } = await forwarding(request(), WITH_TM);
  const stray = response(sent[0]!.text, 200).replace(/branch=z9hG4bKs/, 'branch=z9hG4bKt');
  await rig.receive(stray, CALLEE);
  assert.deepEqual(rig.take(), []);
  const fresh = await proxyRig(forwardAll, WITH_TM);
  await fresh.receive(response(sent[0]!.text, 200), CALLEE);
  assert.deepEqual(fresh.take(), []);
});
