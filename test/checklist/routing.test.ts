import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Myself } from '../../core/proxy/myself.ts';
import { NextHop } from '../../core/proxy/next-hop.ts';
import { Resolver } from '../../core/transport/resolver.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { CALLEE, CALLER, header, request, response } from '../modules/tm/messages.ts';
import { request as parsedRequest } from '../modules/fake-core.ts';
import { proxyRig } from '../proxy-rig.ts';
import { forwarded, inviting, linesOf, recordRoute, relayAll, sending } from './relaying.ts';

const OWN = '<sip:10.0.0.1;lr>';

for (const [what, routes] of [
  ['whatever the routes do', relayAll],
  ['by loose_route', recordRoute],
] as const) {
  test(`checklist 034: a topmost Route that names the proxy is removed, ${what}`, async () => {
    const { sent } = await sending(request({ headers: `Route: ${OWN}\n`, toTag: 'bob' }), routes);
    const { text, to } = forwarded(sent);
    assert.deepEqual(linesOf(text, 'Route'), []);
    assert.equal(to, '10.0.0.3:5060');
  });
}

test("checklist 035: a strict router's rewriting is undone: the last Route becomes the Request-URI", async () => {
  const headers = 'Route: <sip:10.0.0.7;lr>, <sip:bob@10.0.0.3;x=1>\n';
  const { sent } = await sending(
    request({ method: 'BYE', uri: 'sip:10.0.0.1;lr', headers, toTag: 'bob' }),
    recordRoute,
  );
  const { text, to } = forwarded(sent);
  assert.match(text, /^BYE sip:bob@10\.0\.0\.3;x=1 SIP\/2\.0\r\n/);
  assert.deepEqual(linesOf(text, 'Route'), ['Route: <sip:10.0.0.7;lr>']);
  assert.equal(to, '10.0.0.7:5060');
});

test('checklist 037: a Route that remains is the next hop, and the Request-URI stays', async () => {
  const { sent } = await sending(request({ headers: `Route: ${OWN}, <sip:10.0.0.7:5070;lr>\n` }));
  const { text, to } = forwarded(sent);
  assert.match(text, /^INVITE sip:bob@10\.0\.0\.3 SIP\/2\.0\r\n/);
  assert.equal(to, '10.0.0.7:5070');
});

test('checklist 037: a Route without lr is a strict router: it becomes the Request-URI, which ends the Route set', async () => {
  const { sent } = await sending(request({ headers: 'Route: <sip:10.0.0.7>, <sip:10.0.0.8;lr>\n' }));
  const { text, to } = forwarded(sent);
  assert.match(text, /^INVITE sip:10\.0\.0\.7 SIP\/2\.0\r\n/);
  assert.deepEqual(linesOf(text, 'Route'), ['Route: <sip:10.0.0.8;lr>', 'Route: <sip:bob@10.0.0.3>']);
  assert.equal(to, '10.0.0.7:5060');
});

test('checklist 038: without Route the Request-URI of another domain is the target, and is not changed', async () => {
  const uri = 'sip:Bob%41@10.0.0.3:5080;user=phone;x=Y?Subject=hi';
  const { sent } = await sending(request({ uri }));
  const { text, to } = forwarded(sent);
  assert.ok(text.startsWith(`INVITE ${uri} SIP/2.0\r\n`));
  assert.equal(to, '10.0.0.3:5080');
});

test('checklist 043: record_route puts our address with lr above all Record-Routes', async () => {
  const { sent } = await sending(request({ headers: 'Record-Route: <sip:10.0.0.6;lr>\n' }), recordRoute);
  const lines = linesOf(forwarded(sent).text, 'Record-Route');
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /^Record-Route: <sip:10\.0\.0\.1:5060;lr(?:;[^>]*)?>$/);
  assert.equal(lines[1], 'Record-Route: <sip:10.0.0.6;lr>');
});

test('checklist 044: a request within the dialog takes the recorded way, Record-Route or not', async () => {
  const { sent } = await sending(request(), recordRoute);
  const [recorded = ''] = linesOf(forwarded(sent).text, 'Record-Route');
  const headers = `${recorded.replace('Record-', '')}\n`;
  const bye = request({ method: 'BYE', branch: 'z9hG4bKbye', cseq: 2, toTag: 'bob', headers });
  const { sent: further } = await sending(bye, recordRoute);
  const { text, to } = forwarded(further);
  assert.match(text, /^BYE sip:bob@10\.0\.0\.3 SIP\/2\.0\r\n/);
  assert.equal(to, '10.0.0.3:5060');
  assert.deepEqual(linesOf(text, 'Route'), []);
});

test('checklist 047: a first request with Routes to the proxy and beyond takes them', async () => {
  const headers = 'Route: <sip:proxy.example.com;lr>\nRoute: <sip:10.0.0.7;lr>\n';
  for (const routes of [relayAll, recordRoute]) {
    const { sent } = await sending(request({ headers }), routes);
    const { text, to } = forwarded(sent);
    assert.equal(to, '10.0.0.7:5060');
    assert.deepEqual(linesOf(text, 'Route'), ['Route: <sip:10.0.0.7;lr>']);
  }
});

test('checklist 049: a numeric address without port means 5060, and 5061 for sips', () => {
  const clock = new FakeClock();
  const hop = new NextHop({
    myself: new Myself([], []),
    resolver: new Resolver({ clock }),
    families: new Map([
      ['udp', 4],
      ['tls', 4],
    ]),
  });
  for (const [uri, target] of [
    ['sip:10.0.0.3', { protocol: 'udp', address: '10.0.0.3', port: 5060 }],
    ['sips:10.0.0.3', { protocol: 'tls', address: '10.0.0.3', port: 5061 }],
    ['sip:10.0.0.3;transport=tls', { protocol: 'tls', address: '10.0.0.3', port: 5061 }],
  ] as const)
    assert.deepEqual(hop.resolve(parsedRequest({ uri })), { ok: true, target });
});

test('checklist 050: a host name with a port is looked up for its address alone', async () => {
  const asked: unknown[] = [];
  const rig = await proxyRig(relayAll, {
    lookup(host, family, done) {
      asked.push([host, family]);
      done(null, '10.0.0.33');
    },
  });
  await rig.receive(request({ uri: 'sip:bob@sip.example.org:5099' }), CALLER);
  assert.equal(forwarded(rig.take()).to, '10.0.0.33:5099');
  assert.deepEqual(asked, [['sip.example.org', 4]]);
});

test('checklist 053: the ACK of a failure and the CANCEL go where the INVITE went, though the name has moved', async () => {
  let addresses = 0;
  const rig = await proxyRig(relayAll, {
    lookup(_host, _family, done) {
      addresses += 1;
      done(null, `10.0.1.${addresses}`);
    },
  });
  await rig.receive(request({ uri: 'sip:bob@sip.example.org' }), CALLER);
  const invite = forwarded(rig.take());
  assert.equal(invite.to, '10.0.1.1:5060');
  await rig.receive(response(invite.text, 180), CALLEE);
  await rig.advance(60_000);
  rig.take();
  await rig.receive(request({ method: 'CANCEL', uri: 'sip:bob@sip.example.org' }), CALLER);
  assert.equal(forwarded(rig.take()).to, '10.0.1.1:5060');
  await rig.receive(response(invite.text, 487), CALLEE);
  assert.equal(forwarded(rig.take()).to, '10.0.1.1:5060');
});

test('checklist 053: they carry the Routes of the INVITE as it was sent', async () => {
  const headers = 'Route: <sip:10.0.0.1;lr>, <sip:10.0.0.7;lr>\n';
  const { rig, invite } = await inviting(request({ headers }));
  await rig.receive(response(invite, 486), CALLEE);
  const ack = forwarded(rig.take());
  assert.equal(ack.to, '10.0.0.7:5060');
  assert.equal(header(ack.text, 'Route'), '<sip:10.0.0.7;lr>');
});
