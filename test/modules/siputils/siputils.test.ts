import assert from 'node:assert/strict';
import { test } from 'node:test';
import { siputils } from '../../../modules/siputils/siputils.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, received, request, response } from '../fake-core.ts';

const f = siputils.functions;
const state = siputils.init({ params: {}, log: recordedLog(), core: fakeCore(), deps: {} });

test('has_totag: whether To has a tag, on requests and replies', () => {
  assert.equal(f.has_totag.call(callOf(state, request())), false);
  assert.equal(f.has_totag.call(callOf(state, request({ to: '<sip:b@example.com>;tag=1' }))), true);
  assert.equal(f.has_totag.call(callOf(state, response())), true);
});

test('is_request, is_reply: tell requests from replies', () => {
  assert.equal(f.is_request.call(callOf(state, request())), true);
  assert.equal(f.is_reply.call(callOf(state, request())), false);
  assert.equal(f.is_request.call(callOf(state, response())), false);
  assert.equal(f.is_reply.call(callOf(state, response())), true);
});

test('is_method: one of several, whole names, case counts', () => {
  const rows: [names: string, is: boolean][] = [
    ['INVITE', true],
    ['INVITE|BYE', true],
    ['BYE|INVITE', true],
    ['ACK|INVITE|BYE', true],
    ['BYE', false],
    ['INV', false],
    ['REINVITE|INVITER', false],
    ['invite', false],
    ['', false],
  ];
  for (const [names, is] of rows) {
    assert.equal(f.is_method.call(callOf(state, request()), names), is, names);
    assert.equal(f.is_method.call(callOf(state, response()), names), is, `reply: ${names}`);
  }
});

test('is_first_hop: of a request, that it has one Via', () => {
  assert.equal(f.is_first_hop.call(callOf(state, request())), true);
  const second = request({ headers: ['Via: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKx'] });
  assert.equal(f.is_first_hop.call(callOf(state, second)), false);
});

function replyVia(...recorded: string[]) {
  return response({ headers: recorded.map((uri) => `Record-Route: <${uri}>`) });
}

test('is_first_hop: of a reply, that the topmost Record-Route is ours and it did not come from there', () => {
  assert.equal(f.is_first_hop.call(callOf(state, replyVia('sip:192.0.2.1:5060;lr'))), true);
  assert.equal(
    f.is_first_hop.call(callOf(state, replyVia('sip:192.0.2.1;lr', 'sip:p2.example.com;lr'))),
    true,
  );
  assert.equal(
    f.is_first_hop.call(callOf(state, replyVia('sip:p2.example.com;lr', 'sip:192.0.2.1;lr'))),
    false,
  );
  assert.equal(f.is_first_hop.call(callOf(state, replyVia('sip:a b'))), false);
  const looped = response({
    headers: ['Record-Route: <sip:192.0.2.1;lr>'],
    received: { ...received, address: '192.0.2.1', port: 5060 },
  });
  assert.equal(f.is_first_hop.call(callOf(state, looped)), false);
});

test('is_first_hop: of a reply without Record-Route, such as one within a dialog, as in Kamailio', () => {
  assert.equal(f.is_first_hop.call(callOf(state, replyVia())), true);
});

test('is_gruu: whether the Request-URI has gr, with a value or without', () => {
  for (const [uri, is] of [
    ['sip:bob@example.com;gr=urn:uuid:1', true],
    ['sip:bob@example.com;gr', true],
    ['sip:bob@example.com;grr=1', false],
  ] as const) {
    assert.equal(f.is_gruu.call(callOf(state, request({ uri }))), is, uri);
  }
});

test('uri_param: without a value asks for a parameter that has none, else for that value', () => {
  const uri = 'sip:bob@example.com;foo;Bar=1';
  const has = (name: string, value?: string) =>
    f.uri_param.call(callOf(state, request({ uri })), name, value);
  assert.equal(has('foo'), true);
  assert.equal(has('FOO'), true);
  assert.equal(has('bar'), false);
  assert.equal(has('bar', '1'), true);
  assert.equal(has('bar', '2'), false);
  assert.equal(has('baz'), false);
  assert.equal(has('baz', ''), false);
});

test('add_uri_param: adds a parameter in front of the headers', () => {
  const rows: [uri: string, text: string, after: string][] = [
    ['sip:bob@example.com', 'nat=yes', 'sip:bob@example.com;nat=yes'],
    ['sip:bob:pw@[2001:db8::1]:5080;a', 'b', 'sip:bob:pw@[2001:db8::1]:5080;a;b'],
    ['sip:bob@example.com;a=1?x=y', 'b=2', 'sip:bob@example.com;a=1;b=2?x=y'],
    ['tel:+123', 'a=b', 'tel:+123;a=b'],
  ];
  for (const [uri, text, after] of rows) {
    const msg = request({ uri });
    assert.equal(f.add_uri_param.call(callOf(state, msg), text), true);
    assert.equal(msg.uri, after);
  }
});

test('add_uri_param: what is not one parameter is ERR_URI_PARAM', () => {
  for (const text of ['', 'a;b', ';a=b', 'a=b?x=y', 'a b', 'a=b\r\nX: 1', 'a>', '=x', 'a@b']) {
    const msg = request();
    assert.throws(() => f.add_uri_param.call(callOf(state, msg), text), { code: 'ERR_URI_PARAM' }, text);
    assert.equal(msg.uri, msg.originalUri);
  }
});

test('add_uri_param: a URI without parameters of its own kind is left alone', () => {
  const msg = request();
  msg.uri = 'urn:service:sos';
  assert.throws(() => f.add_uri_param.call(callOf(state, msg), 'a=b'), { code: 'ERR_URI_PARAM' });
  assert.equal(msg.uri, 'urn:service:sos');
  msg.uri = 'nonsense';
  assert.throws(() => f.add_uri_param.call(callOf(state, msg), 'a=b'), { code: 'ERR_URI_SYNTAX' });
});

test('is_e164: a plus and 2 to 15 digits', () => {
  const call = callOf(state, request());
  const is = (text: string) => f.is_e164.call(call, text);
  for (const yes of ['+12', '+123456789012345']) assert.equal(is(yes), true, yes);
  for (const no of ['+1', '+1234567890123456', '12', '+', '', '+12a', '+12\n'])
    assert.equal(is(no), false, no);
});

test('is_tel_number: digits, with a plus or without', () => {
  const call = callOf(state, request());
  const is = (text: string) => f.is_tel_number.call(call, text);
  for (const yes of ['1', '+1', '0049123']) assert.equal(is(yes), true, yes);
  for (const no of ['', '+', '++1', '1 2', '12a', '1\n']) assert.equal(is(no), false, no);
});

test('is_myself, is_myself_ruri: whether a URI names this proxy, by address and port', () => {
  const rows: [uri: string, is: boolean][] = [
    ['sip:192.0.2.1', true],
    ['sip:bob@192.0.2.1:5060', true],
    ['sip:bob@192.0.2.1:5070', false],
    ['sip:bob@example.com', false],
    ['tel:+15550100', false],
    ['no uri', false],
  ];
  for (const [uri, is] of rows) assert.equal(f.is_myself.call(callOf(state, request()), uri), is, uri);
  for (const [uri, is] of rows.slice(0, 5))
    assert.equal(f.is_myself_ruri.call(callOf(state, request({ uri }))), is, uri);
});
