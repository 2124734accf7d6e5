import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gate } from '../gate.ts';
import { CALLEE, CALLER, header, request, response, vias } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';
import { forwarder, type ForwarderContext } from './forwarder.ts';

const forwardAll = ({ ksr }: ForwarderContext) => ksr.forwarder.forward();

/** A proxy without tm. */
function stateless(
  handler: (context: ForwarderContext) => unknown = forwardAll,
  options: Pick<NonNullable<Parameters<typeof proxyRig>[1]>, 'limits' | 'lookup'> = {},
) {
  return proxyRig(
    { uses: ['forwarder'], request: handler },
    { ...options, modules: { forwarder: {} }, extra: [forwarder] },
  );
}

test('stateless: an INVITE goes on with a Via and Max-Forwards lowered; no 100 is sent, no timer set', async () => {
  const rig = await stateless();
  await rig.receive(request(), CALLER);
  const [sent, ...more] = rig.take();
  assert.deepEqual(more, []);
  assert.equal(sent!.to, '10.0.0.3:5060');
  assert.equal(vias(sent!.text).length, 2);
  assert.equal(header(sent!.text, 'Max-Forwards'), '69');
  assert.equal(rig.clock.pending, 0);
});

test('stateless: a retransmission leaves byte for byte as before, and CANCEL and ACK with the same branch', async () => {
  const rig = await stateless();
  await rig.receive(request(), CALLER);
  await rig.receive(request(), CALLER);
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  await rig.receive(request({ method: 'ACK', toTag: 'bob' }), CALLER);
  const [first, again, cancel, ack] = rig.take();
  assert.equal(again!.text, first!.text);
  const [branch] = vias(first!.text);
  assert.deepEqual([vias(cancel!.text)[0], vias(ack!.text)[0]], [branch, branch]);
});

test('stateless: responses go on by the Via below ours, each time they come', async () => {
  const rig = await stateless();
  await rig.receive(request({ sentBy: 'alice.example.org:5071' }).replace(';branch', ';rport;branch'), {
    address: '10.0.0.2',
    port: 40_444,
  });
  const sent = rig.take()[0]!.text;
  for (const status of [100, 180, 200, 200]) await rig.receive(response(sent, status), CALLEE);
  const found = rig.take();
  assert.deepEqual(
    found.map(({ text, to }) => `${text.slice(8, 11)} ${to} ${vias(text).length}`),
    ['100', '180', '200', '200'].map((status) => `${status} 10.0.0.2:40444 1`),
  );
});

const forged = (via: string) => `SIP/2.0 200 OK
Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKany
${via}From: <sip:a@10.0.0.2>;tag=a
To: <sip:b@10.0.0.3>;tag=b
Call-ID: c
CSeq: 1 INVITE

`;
for (const [what, via] of [
  ['no other Via', ''],
  ['a malformed Via below', 'Via: SIP/2.0/UDP\n'],
  ['a Via of a transport that has no socket', 'Via: SIP/2.0/TCP 10.0.0.2\n'],
  ['a Via of another address family', 'Via: SIP/2.0/UDP [2001:db8::2]\n'],
] as const) {
  test(`stateless: a response with ${what} is dropped and counted`, async () => {
    const rig = await stateless();
    await rig.receive(forged(via), CALLEE);
    assert.deepEqual(rig.take(), []);
    assert.equal(rig.proxy.counters.stray, 1);
  });
}

test('stateless: a response to a name goes where the name leads; one without an address is dropped', async () => {
  const rig = await stateless(forwardAll, {
    lookup: (host, _family, done) =>
      host === 'a.example.org' ? done(null, '10.0.0.44') : done(new Error('unknown'), ''),
  });
  await rig.receive(forged('Via: SIP/2.0/UDP a.example.org:5099\n'), CALLEE);
  await rig.receive(forged('Via: SIP/2.0/UDP b.example.org\n'), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 OK -> 10.0.0.44:5099']);
});

test('stateless: what cannot be sent on is told to the handler, and answered by none', async () => {
  const results: unknown[] = [];
  const rig = await stateless(async ({ ksr }) => {
    results.push(await ksr.forwarder.forward());
  });
  await rig.receive(request({ uri: 'sip:bob@nowhere.example.org' }), CALLER);
  await rig.receive(request().replace('Max-Forwards: 70', 'Max-Forwards: 0'), CALLER);
  await rig.receive(request(), CALLER);
  assert.deepEqual(results, [false, false, true]);
  assert.deepEqual(rig.starts(), ['INVITE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
});

test('stateless: a handler that throws is answered 500, an ACK never', async () => {
  const rig = await stateless(() => {
    throw new Error('oh');
  });
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 500 Server Internal Error -> 10.0.0.2:5060']);
  await rig.receive(request({ method: 'ACK', toTag: 'bob' }), CALLER);
  assert.deepEqual(rig.starts(), []);
});

test('stateless: a handler that neither replies nor sends on is warned about', async () => {
  const rig = await stateless(() => {});
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.lines('warn'), ['the request handler neither replied nor relayed']);
});

test('stateless: above limits.handlers a request gets 503', async () => {
  const { opened } = gate();
  const rig = await stateless(() => opened, { limits: { handlers: 1 } });
  await rig.receive(request(), CALLER);
  await rig.receive(request({ branch: 'z9hG4bKsecond', callId: 'call-2' }), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 503 Service Unavailable -> 10.0.0.2:5060']);
});
