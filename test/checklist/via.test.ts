import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLEE, CALLER, header, request, response, vias } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';
import { forwarded, inviting, relayAll, sending } from './relaying.ts';

const OPTIONS = { method: 'OPTIONS' };

test('checklist 058: each request that goes on has a new top Via with a branch of its own', async () => {
  const rig = await proxyRig(relayAll);
  const branches = new Set<string>();
  for (let i = 1; i <= 20; i += 1) {
    await rig.receive(request({ branch: `z9hG4bKa${i}`, callId: `call-${i}` }), CALLER);
    const [top, ...rest] = vias(forwarded(rig.take()).text);
    const branch = /^SIP\/2\.0\/UDP 10\.0\.0\.1:5060;branch=(z9hG4bK\w+)$/.exec(top ?? '')?.[1];
    assert.ok(branch);
    branches.add(branch);
    assert.deepEqual(rest, [`SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKa${i}`]);
  }
  assert.equal(branches.size, 20);
});

for (const [sentBy, added] of [
  ['10.0.0.9', ';received=10.0.0.2'],
  ['10.0.0.9:5060', ';received=10.0.0.2'],
  ['alice.example.org', ';received=10.0.0.2'],
  ['10.0.0.2', ''],
  ['10.0.0.2:5070', ''],
] as const) {
  test(`checklist 059: a Via of ${sentBy} from 10.0.0.2 ${added === '' ? 'stays' : 'gets received'}`, async () => {
    const { sent } = await sending(request({ ...OPTIONS, sentBy }));
    assert.equal(vias(forwarded(sent).text)[1], `SIP/2.0/UDP ${sentBy};branch=z9hG4bKcaller1${added}`);
  });
}

for (const sentBy of ['10.0.0.2', '192.168.1.9:5071']) {
  test(`checklist 060: rport of ${sentBy} is filled with the source port, received with the address, and replies go there`, async () => {
    const message = request({ sentBy }).replace(';branch=', ';rport;branch=');
    const from = { address: '10.0.0.2', port: 40_444 };
    const rig = await proxyRig(relayAll);
    await rig.receive(message, from);
    const invite = forwarded(rig.take()).text;
    const via = vias(invite)[1]!;
    assert.match(via, /;rport=40444(?:;|$)/);
    assert.match(via, /;received=10\.0\.0\.2(?:;|$)/);
    await rig.receive(response(invite, 180), CALLEE);
    assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:40444']);
  });
}

for (const [sentBy, to] of [
  ['10.0.0.2', '10.0.0.2:5060'],
  ['10.0.0.2:5071', '10.0.0.2:5071'],
  ['alice.example.org:5072', '10.0.0.2:5072'],
] as const) {
  test(`checklist 062: without rport the reply to ${sentBy} goes to ${to}, whatever the source port`, async () => {
    const rig = await proxyRig(relayAll);
    await rig.receive(request({ ...OPTIONS, sentBy }), { address: '10.0.0.2', port: 40_444 });
    await rig.receive(response(forwarded(rig.take()).text, 200), CALLEE);
    assert.deepEqual(rig.starts(), [`SIP/2.0 200 Any -> ${to}`]);
  });
}

test("checklist 065: a response with no Via but the proxy's is consumed", async () => {
  const { rig, invite } = await inviting();
  const strange = response(invite, 200)
    .replace(/branch=z9hG4bK\w+/, 'branch=z9hG4bKnone')
    .replace(/^Via: SIP\/2\.0\/UDP 10\.0\.0\.2.*\n/m, '');
  assert.equal(vias(strange.replaceAll('\n', '\r\n')).length, 1);
  await rig.receive(strange, CALLEE);
  assert.deepEqual(rig.take(), []);
  assert.equal(rig.proxy.counters.stray, 1);
});

test('checklist 067: of a response only our Via is taken; the rest and the body go on byte for byte', async () => {
  const { rig, invite } = await inviting();
  const odd = 'X-odd:  a ,b\nsubject :\t"x\nServer: one\nServer: two\n';
  const body = 'v=0\r\n\r\n\x00\xff';
  const ringing = response(invite, 183).replace(
    /Content-Length: 0\n\n$/,
    `${odd}Content-Length: ${body.length}\n\n${body}`,
  );
  await rig.receive(ringing, CALLEE);
  const [sent] = rig.take();
  assert.equal(sent!.text, ringing.replaceAll(/\r?\n/g, '\r\n').replace(/Via: .*\r\n/, ''));
});

for (const address of ['255.255.255.255', '224.0.1.75', '[ff02::1]']) {
  test(`checklist 068: a response whose next Via is ${address} goes nowhere`, async () => {
    const { rig, invite } = await inviting();
    const forged = response(invite, 200)
      .replace(/branch=z9hG4bK\w+/, 'branch=z9hG4bKnone')
      .replace('UDP 10.0.0.2', `UDP ${address}`);
    await rig.receive(forged, CALLEE);
    assert.deepEqual(rig.take(), []);
  });

  test(`checklist 068: nor does the reply to a request whose Via asks for ${address} by maddr`, async () => {
    const { rig } = await sending(request({ ...OPTIONS, uri: 'fax:1' }));
    await rig.receive(request({ ...OPTIONS, uri: 'fax:1', branch: `z9hG4bKm;maddr=${address}` }), CALLER);
    assert.deepEqual(rig.take(), []);
  });
}

test('checklist 069: received in brackets is read, and an IPv6 address is written without them', async () => {
  const rig = await proxyRig(relayAll);
  const bracketed = request({ ...OPTIONS, branch: 'z9hG4bKsix;received=[2001:db8::9]' });
  await rig.receive(bracketed, CALLER);
  assert.equal(
    vias(forwarded(rig.take()).text)[1],
    'SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKsix;received=10.0.0.2',
  );
  await rig.receive(request({ ...OPTIONS, uri: 'fax:1', sentBy: 'six.example.org' }), {
    address: '2001:db8::2',
    port: 5060,
  });
  const [reply] = rig.take();
  assert.match(header(reply!.text, 'Via'), /;received=2001:db8::2$/);
  assert.equal(reply!.to, '2001:db8::2:5060');
});
