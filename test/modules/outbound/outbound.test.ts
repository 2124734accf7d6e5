import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUri, Secret, type SipRequest, type Uri } from '../../../core/index.ts';
import { readParam } from '../../../core/registry/params.ts';
import { outbound } from '../../../modules/outbound/outbound.ts';
import { rr } from '../../../modules/rr/rr.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, linesOf, point, printed, proxyPoint, received, request } from '../fake-core.ts';

const { force_outbound, force_no_outbound } = outbound.functions;

function loaded(secret = '') {
  const core = fakeCore();
  const params = { flow_token_secret: new Secret(secret) };
  const state = outbound.init({ params, log: recordedLog(), core, deps: {} });
  return { core, state, tokens: core.flowTokens ?? assert.fail('no flow tokens') };
}

function uriOf(text: string): Uri {
  const uri = parseUri(text);
  assert(uri.ok, text);
  return uri.value;
}

const CONTACTS: readonly (readonly [method: string, headers: readonly string[], wants: boolean])[] = [
  ['REGISTER', ['Contact: <sip:a@10.0.0.1>;reg-id=1'], true],
  ['REGISTER', ['Contact: <sip:a@10.0.0.1>, <sip:b@10.0.0.1>;Reg-ID=2'], true],
  ['REGISTER', ['Contact: <sip:a@10.0.0.1;ob>'], false],
  ['REGISTER', ['Contact: *'], false],
  ['REGISTER', [], false],
  ['REGISTER', ['Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK9', 'Contact: <sip:a@10.0.0.1>;reg-id=1'], false],
  ['INVITE', ['Contact: <sip:a@10.0.0.1;ob>'], true],
  ['INVITE', ['Contact: <sip:a@10.0.0.1>;ob'], false],
  ['INVITE', ['Contact: <sip:a@10.0.0.1>;reg-id=1'], false],
  ['INVITE', ['Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK9', 'Contact: <sip:a@10.0.0.1;ob>'], false],
  ['INVITE', ['Contact: <sip:a@10.0.0.1;ob>,'], false],
];
for (const [method, headers, wants] of CONTACTS) {
  test(`outbound: ${method} with ${headers.join(' and ') || 'no Contact'} ${wants ? 'gets a' : 'gets no'} token`, () => {
    assert.equal(loaded().tokens.tokenOf(request({ method, headers })) !== null, wants);
  });
}

test('force_outbound, force_no_outbound: go before what the request asks for', () => {
  const { state, tokens } = loaded();
  const plain = request({ headers: ['Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK9'] });
  force_outbound.call(callOf(state, plain));
  assert.notEqual(tokens.tokenOf(plain), null);
  const asking = request({ headers: ['Contact: <sip:a@10.0.0.1;ob>'] });
  force_no_outbound.call(callOf(state, asking));
  assert.equal(tokens.tokenOf(asking), null);
});

test('outbound: a Route of ours with ob asks for a token as well (5.3.2)', () => {
  const { core, tokens } = loaded();
  const msg = request();
  core.ownRoutes.read(msg, uriOf('sip:192.0.2.1:5060;lr;ob'));
  assert.notEqual(tokens.tokenOf(msg), null);
  assert.equal(msg.flow, null);
});

test('outbound: a token in a Route of ours is the flow to take; that of the source itself is none', () => {
  const { core, state, tokens } = loaded();
  const first = request();
  force_outbound.call(callOf(state, first));
  const token = tokens.tokenOf(first) ?? '';
  const back = request({ received: { ...received, port: 9 } });
  core.ownRoutes.read(back, uriOf(`sip:${token}@192.0.2.1:5060;lr`));
  assert.ok(back.flow?.ok);
  assert.equal(back.flow.target.port, received.port);
  const again = request();
  core.ownRoutes.read(again, uriOf(`sip:${token}@192.0.2.1:5060;lr`));
  assert.equal(again.flow, null);
});

test('outbound: a false token stays one, whatever follows; a true one is left behind by a next hop of the routes', () => {
  const { core, state, tokens } = loaded();
  const other = request({ received: { ...received, port: 9 } });
  force_outbound.call(callOf(state, other));
  const good = uriOf(`sip:${tokens.tokenOf(other)}@192.0.2.1:5060;lr`);
  const msg: SipRequest = request();
  core.ownRoutes.read(msg, uriOf('sip:flow-AAAA@192.0.2.1:5060;lr'));
  core.ownRoutes.read(msg, good);
  msg.nextHop = 'sip:10.0.0.1';
  assert.equal(msg.flow?.ok, false);
  const elsewhere = request();
  core.ownRoutes.read(elsewhere, good);
  assert.equal(elsewhere.fork().flow, elsewhere.flow);
  elsewhere.nextHop = null;
  assert.equal(elsewhere.flow, null);
});

test('outbound: tokens of two cores with one secret are the same, with others not', () => {
  const secret = 'correct horse battery staple';
  const tokenOf = ({ state, tokens }: ReturnType<typeof loaded>): string | null => {
    const msg = request();
    force_outbound.call(callOf(state, msg));
    return tokens.tokenOf(msg);
  };
  assert.equal(tokenOf(loaded(secret)), tokenOf(loaded(secret)));
  assert.notEqual(tokenOf(loaded(secret)), tokenOf(loaded(`${secret}!`)));
});

test('flow_token_secret: a short one is refused, and not shown', () => {
  const result = readParam(outbound.params.flow_token_secret, 'hunter2');
  assert.ok(!result.ok);
  assert.ok(!JSON.stringify(result).includes('hunter2'));
});

test('record_route: carries a token where the request wants one; with double Record-Route on the side that it came from', () => {
  const { core, state } = loaded();
  const params = { enable_full_lr: false, append_fromtag: false, enable_double_rr: true };
  const recorder = rr.init({ params, log: recordedLog(), core, deps: {} });
  const record = (out = point()): string[] => {
    const msg = request();
    force_outbound.call(callOf(state, msg));
    assert.equal(rr.functions.record_route.call(callOf(recorder, msg)), true);
    return linesOf(printed(msg, out), 'record-route').map((line) => line.replace(/flow-[\w-]+/, 'TOKEN'));
  };
  assert.deepEqual(record(), ['Record-Route: <sip:TOKEN@192.0.2.1:5060;lr>']);
  assert.deepEqual(record(point('10.0.0.1')), [
    'Record-Route: <sip:10.0.0.1:5060;r2=on;lr>',
    'Record-Route: <sip:TOKEN@192.0.2.1:5060;r2=on;lr>',
  ]);
});

test('record_route: the token of the flow that a request leaves by stays out of a branch that leaves by another socket', () => {
  const core = fakeCore();
  const params = { enable_full_lr: false, append_fromtag: false, enable_double_rr: false };
  const recorder = rr.init({ params, log: recordedLog(), core, deps: {} });
  const msg = request();
  const target = {
    protocol: 'udp',
    address: '198.51.100.9',
    port: 9,
    point: proxyPoint,
    onlyFlow: true,
  } as const;
  msg.flow = { ok: true, token: 'flow-1', target };
  rr.functions.record_route.call(callOf(recorder, msg));
  assert.deepEqual(linesOf(printed(msg), 'record-route'), ['Record-Route: <sip:flow-1@192.0.2.1:5060;lr>']);
  const elsewhere = linesOf(printed(msg, point('10.0.0.1')), 'record-route');
  assert.deepEqual(elsewhere, ['Record-Route: <sip:10.0.0.1:5060;lr>']);
});
