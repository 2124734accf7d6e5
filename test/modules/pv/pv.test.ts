import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PvResult } from '../../../core/registry/services.ts';
import type { SipRequest, SipResponse } from '../../../core/sip/message.ts';
import { pv } from '../../../modules/pv/pv.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, request, response, scopeOf } from '../fake-core.ts';

type Variable = keyof typeof pv.pseudoVariables;

const state = pv.init({ params: {}, log: recordedLog(), core: fakeCore(), deps: {} });

/** Reads plain variables; what the others need stands in their own tests. */
function read(msg: SipRequest | SipResponse, name: Exclude<Variable, '$hdr' | '$hdrc' | '$var' | '$avp'>) {
  return pv.pseudoVariables[name].get(callOf(state, msg));
}

const full = request({
  uri: 'sip:bob:pw@example.com:5080;transport=TCP?subject=x',
  from: '"Alice \\"A.\\" L." <sip:alice@example.org>;tag=fa1',
  to: 'Bob <sip:+4930@[2001:db8::2]:5062>',
  headers: ['User-Agent: phone/1', 'm: <sip:alice@198.51.100.7>;q=1, <sip:a@b>', 'c: application/sdp'],
  body: 'v=0\r\n',
});

test('variables: of a request, each has the value that the message holds', () => {
  const rows: [Parameters<typeof read>[1], PvResult][] = [
    ['$ru', 'sip:bob:pw@example.com:5080;transport=TCP?subject=x'],
    ['$rU', 'bob'],
    ['$rd', 'example.com'],
    ['$rp', 5080],
    ['$rP', 'tcp'],
    ['$rz', 'sip'],
    ['$ou', 'sip:bob:pw@example.com:5080;transport=TCP?subject=x'],
    ['$oU', 'bob'],
    ['$od', 'example.com'],
    ['$op', 5080],
    ['$du', null],
    ['$dd', null],
    ['$dp', null],
    ['$dP', null],
    ['$rm', 'INVITE'],
    ['$rs', null],
    ['$rr', null],
    ['$fu', 'sip:alice@example.org'],
    ['$fU', 'alice'],
    ['$fd', 'example.org'],
    ['$fn', '"Alice \\"A.\\" L."'],
    ['$ft', 'fa1'],
    ['$tu', 'sip:+4930@[2001:db8::2]:5062'],
    ['$tU', '+4930'],
    ['$td', '[2001:db8::2]'],
    ['$tn', 'Bob'],
    ['$tt', null],
    ['$ci', 'c1@198.51.100.7'],
    ['$cs', 17],
    ['$cT', 'application/sdp'],
    ['$ct', '<sip:alice@198.51.100.7>;q=1, <sip:a@b>'],
    ['$ua', 'phone/1'],
    ['$cl', 5],
    ['$rb', 'v=0\r\n'],
    ['$ml', full.head.length + 5],
    ['$mb', `${full.head}v=0\r\n`],
    ['$si', '198.51.100.7'],
    ['$sp', 5070],
    ['$pr', 'udp'],
    ['$Ri', '192.0.2.1'],
    ['$Rp', 5060],
    ['$null', null],
  ];
  for (const [name, value] of rows) assert.equal(read(full, name), value, name);
});

test('variables: of a request that lacks them, they are null', () => {
  const bare = request({ uri: 'sip:example.com', from: '<sip:example.org>', to: '<tel:+4930>' });
  for (const name of ['$rU', '$fU', '$fn', '$ft', '$td', '$tn', '$tt', '$cT', '$ct', '$ua', '$rb'] as const) {
    assert.equal(read(bare, name), null, name);
  }
});

test('variables: of a reply, what belongs to the reply is there and the rest is null', () => {
  const reply = response({ status: '486 Busy Here', headers: ['Contact: <sip:bob@203.0.113.9>'] });
  const rows: [Parameters<typeof read>[1], PvResult][] = [
    ['$rs', 486],
    ['$rr', 'Busy Here'],
    ['$rm', 'INVITE'],
    ['$tt', 'tb1'],
    ['$ct', '<sip:bob@203.0.113.9>'],
    ['$ru', null],
    ['$rU', null],
    ['$rd', null],
    ['$rp', null],
    ['$rP', null],
    ['$rz', null],
    ['$ou', null],
    ['$oU', null],
    ['$du', null],
    ['$dd', null],
  ];
  for (const [name, value] of rows) assert.equal(read(reply, name), value, name);
});

test('$rs, $rr: in a failure handler are those of the reply that was chosen', () => {
  const msg = request();
  const chosen = response({ status: '486 Busy Here' });
  const call = callOf(state, msg, { scope: scopeOf(msg, { route: 'failure', response: chosen }) });
  assert.equal(pv.pseudoVariables.$rs.get(call), 486);
  assert.equal(pv.pseudoVariables.$rr.get(call), 'Busy Here');
});

test('$rp, $rP: without port and transport have the defaults of the URI', () => {
  const rows: [uri: string, port: number, transport: string][] = [
    ['sip:a@b', 5060, 'udp'],
    ['sip:a@b;transport=tcp', 5060, 'tcp'],
    ['sip:a@b;transport=TLS', 5061, 'tls'],
    ['sips:a@b', 5061, 'tls'],
    ['tel:+123', 5060, 'udp'],
  ];
  for (const [uri, port, transport] of rows) {
    const msg = request({ uri });
    assert.deepEqual([read(msg, '$rp'), read(msg, '$rP')], [port, transport], uri);
  }
});

test('variables: a tel URI has a user and no domain', () => {
  const msg = request({ uri: 'tel:+4930;phone-context=x' });
  assert.deepEqual([read(msg, '$rU'), read(msg, '$rd'), read(msg, '$rz')], ['+4930', null, 'tel']);
});

test('variables: bytes of UTF-8 come as text, others as single chars that go back as they were', () => {
  const msg = request({
    from: '"Zo\xc3\xab" <sip:alice@example.org>;tag=fa1',
    headers: ['X-Bytes: a\xe9'],
  });
  assert.equal(read(msg, '$fn'), '"Zoë"');
  assert.equal(pv.pseudoVariables.$hdr.get(callOf(state, msg), 'X-Bytes'), 'a\udce9');
});

test('$hdr: finds headers by any spelling, the first unless an index says otherwise', () => {
  const msg = request({ headers: ['X-A: one', 'x-a: two', 's: folded', 'X-A:three\r\n  more', 'X-Empty:'] });
  const $hdr = (name: string, index?: number) => pv.pseudoVariables.$hdr.get(callOf(state, msg), name, index);
  assert.equal($hdr('X-A'), 'one');
  assert.equal($hdr('x-a', 1), 'two');
  assert.equal($hdr('X-A', 2), 'three more');
  assert.equal($hdr('X-A', 3), null);
  assert.equal($hdr('X-A', -1), 'three more');
  assert.equal($hdr('X-A', -3), 'one');
  assert.equal($hdr('X-A', -4), null);
  assert.equal($hdr('Subject'), 'folded');
  assert.equal($hdr('X-Empty'), '');
  assert.equal($hdr('X-None'), null);
});

test('$hdrc: counts headers of a name', () => {
  const msg = request({ headers: ['X-A: one', 'x-a: two'] });
  const count = (name: string) => pv.pseudoVariables.$hdrc.get(callOf(state, msg), name);
  assert.deepEqual([count('X-A'), count('v'), count('X-None')], [2, 1, 0]);
});

test('$var: is 0 until set, lives for the run, and null sets it back', () => {
  const { $var } = pv.pseudoVariables;
  const msg = request();
  const call = callOf(state, msg);
  assert.equal($var.get(call, 'x'), 0);
  $var.set(call, 'text', 'x');
  $var.set(call, 7, 'y');
  assert.deepEqual([$var.get(call, 'x'), $var.get(call, 'y')], ['text', 7]);
  $var.set(call, null, 'x');
  assert.equal($var.get(call, 'x'), 0);
  assert.equal($var.get(callOf(state, msg, { scope: scopeOf(msg, { avps: call.scope.avps }) }), 'y'), 0);
});

test('$avp: assigning adds on top, null removes the topmost, later runs see it', () => {
  const { $avp } = pv.pseudoVariables;
  const msg = request();
  const call = callOf(state, msg);
  assert.equal($avp.get(call, 'x'), null);
  for (const value of [1, 'two', 3]) $avp.set(call, value, 'x');
  assert.equal($avp.get(call, 'x'), 3);
  const later = callOf(state, msg, { scope: scopeOf(msg, { route: 'failure', avps: call.scope.avps }) });
  $avp.set(later, null, 'x');
  assert.equal($avp.get(later, 'x'), 'two');
  $avp.set(later, null, 'x');
  assert.equal($avp.get(later, 'x'), 1);
  $avp.set(later, null, 'x');
  assert.equal($avp.get(later, 'x'), null);
});

test('$TS: is the wall clock in seconds', () => {
  const call = callOf({ ...state, wallMs: () => 1_700_000_000_999 }, request());
  assert.equal(pv.pseudoVariables.$TS.get(call), 1_700_000_000);
  assert.equal(state.wallMs, Date.now);
});

test('variables: state what can be set by having a setter', () => {
  const settable = Object.entries(pv.pseudoVariables).filter(([, variable]) => 'set' in variable);
  assert.deepEqual(
    settable.map(([name]) => name),
    ['$ru', '$rU', '$rd', '$rp', '$du', '$var', '$avp'],
  );
});
