import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNameAddr } from '../../../core/sip/name-addr.ts';
import { rr } from '../../../modules/rr/rr.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, linesOf, point, printed, received, request } from '../fake-core.ts';

const { record_route, record_route_preset, remove_record_route, add_rr_param, loose_route, is_direction } =
  rr.functions;

const defaults = { enable_full_lr: false, append_fromtag: true, enable_double_rr: true };
const init = (params: Partial<typeof defaults> = {}) =>
  rr.init({ params: { ...defaults, ...params }, log: recordedLog(), core: fakeCore(), deps: {} });

const recorded = (msg: ReturnType<typeof request>, out = point()) =>
  linesOf(printed(msg, out), 'record-route');

test('parameters: have the defaults that the docs state', () => {
  const found = Object.entries(rr.params).map(([name, { default: initial }]) => [name, initial]);
  assert.deepEqual(Object.fromEntries(found), defaults);
});

test('record_route: adds our address with lr and the From tag on top', () => {
  const msg = request({ headers: ['Record-Route: <sip:p0.example.com;lr>'] });
  assert.equal(record_route.call(callOf(init(), msg)), true);
  assert.deepEqual(recorded(msg), [
    'Record-Route: <sip:192.0.2.1:5060;lr;ftag=fa1>',
    'Record-Route: <sip:p0.example.com;lr>',
  ]);
});

test('record_route: changes nothing else', () => {
  const msg = request();
  record_route.call(callOf(init(), msg));
  assert.equal(printed(msg).replace(/Record-Route: .*\r\n/, ''), msg.head);
});

test('record_route: parameters decide about lr and ftag', () => {
  const rows: [Partial<typeof defaults>, string][] = [
    [{ enable_full_lr: true }, ';lr=on;ftag=fa1'],
    [{ append_fromtag: false }, ';lr'],
    [{ enable_full_lr: true, append_fromtag: false }, ';lr=on'],
  ];
  for (const [params, expected] of rows) {
    const msg = request();
    record_route.call(callOf(init(params), msg));
    assert.deepEqual(recorded(msg), [`Record-Route: <sip:192.0.2.1:5060${expected}>`]);
  }
});

test('record_route: without a From tag writes no ftag', () => {
  const msg = request({ from: '<sip:alice@example.org>' });
  record_route.call(callOf(init(), msg));
  assert.deepEqual(recorded(msg), ['Record-Route: <sip:192.0.2.1:5060;lr>']);
});

test('record_route: between two sockets writes both, the way out on top', () => {
  const msg = request();
  record_route.call(callOf(init(), msg));
  assert.deepEqual(recorded(msg, { ...point('10.0.0.1', 5080), protocol: 'tcp' }), [
    'Record-Route: <sip:10.0.0.1:5080;transport=tcp;r2=on;lr;ftag=fa1>',
    'Record-Route: <sip:192.0.2.1:5060;r2=on;lr;ftag=fa1>',
  ]);
});

test('record_route: with enable_double_rr off writes only the way out', () => {
  const msg = request();
  record_route.call(callOf(init({ enable_double_rr: false }), msg));
  assert.deepEqual(recorded(msg, point('10.0.0.1')), ['Record-Route: <sip:10.0.0.1:5060;lr;ftag=fa1>']);
});

test('record_route: is SIPS for a SIPS Request-URI or next Route', () => {
  const rows = [
    request({ uri: 'SIPS:bob@example.com' }),
    request({ headers: ['Route: <sips:p2.example.com;lr>'] }),
  ];
  for (const msg of rows) {
    record_route.call(callOf(init(), msg));
    assert.deepEqual(recorded(msg), ['Record-Route: <sips:192.0.2.1:5060;lr;ftag=fa1>']);
  }
});

test('record_route: a second call is false, warns and adds nothing', () => {
  const log = recordedLog();
  const call = callOf(init(), request(), { log });
  assert.equal(record_route.call(call), true);
  assert.equal(record_route.call(call), false);
  assert.equal(recorded(call.msg).length, 1);
  assert.deepEqual(
    log.lines.map((line) => line.level),
    ['warn'],
  );
});

test('record_route: an odd From tag comes back as one parameter that is_direction knows', () => {
  for (const tag of ['a`b', "a%41'!*", 'x+y~z', '\xe9']) {
    const from = `<sip:alice@example.org>;tag=${tag}`;
    const state = init();
    const first = request({ from });
    record_route.call(callOf(state, first));
    const [line = ''] = recorded(first);
    const value = line.slice('Record-Route: '.length);
    const parsed = parseNameAddr(value);
    assert(parsed.ok && parsed.value.uri.ok, line);
    assert.equal(parsed.value.uri.value.params.length, 2, line);
    const call = callOf(
      state,
      request({ from, to: '<sip:bob@example.com>;tag=tb1', headers: [`Route: ${value}`] }),
    );
    loose_route.call(call);
    assert.equal(is_direction.call(call, 'downstream'), true, tag);
  }
});

test('record_route_preset: writes the address given', () => {
  const msg = request();
  const call = callOf(init(), msg);
  assert.equal(record_route_preset.call(call, '203.0.113.5:5080;transport=tcp'), true);
  assert.deepEqual(recorded(msg), ['Record-Route: <sip:203.0.113.5:5080;transport=tcp;lr;ftag=fa1>']);
  assert.equal(record_route_preset.call(call, '203.0.113.6'), false);
  assert.equal(recorded(msg).length, 1);
});

test('record_route_preset: what is no address is ERR_URI_SYNTAX', () => {
  for (const address of ['', 'a b', 'a>\r\nX: 1', 'host:99999', '<a>']) {
    assert.throws(() => record_route_preset.call(callOf(init(), request()), address), {
      code: 'ERR_URI_SYNTAX',
    });
  }
});

test('remove_record_route: takes a Record-Route back', () => {
  const call = callOf(init(), request());
  assert.equal(remove_record_route.call(call), false);
  record_route.call(call);
  assert.equal(remove_record_route.call(call), true);
  assert.deepEqual(recorded(call.msg), []);
});

test('remove_record_route: what record_route adds then is one line', () => {
  const call = callOf(init(), request());
  record_route.call(call);
  remove_record_route.call(call);
  assert.equal(record_route_preset.call(call, '203.0.113.5'), true);
  assert.deepEqual(recorded(call.msg), ['Record-Route: <sip:203.0.113.5;lr;ftag=fa1>']);
});

test('a branch begins with what its request has, and what it changes is for itself', () => {
  const state = init();
  const msg = request();
  add_rr_param.call(callOf(state, msg), ';a=1');
  const early = msg.fork();
  assert.equal(record_route.call(callOf(state, early)), true);
  record_route.call(callOf(state, msg));
  const [twice, without, more] = [msg.fork(), msg.fork(), msg.fork()];
  assert.equal(record_route.call(callOf(state, twice)), false);
  assert.equal(remove_record_route.call(callOf(state, without)), true);
  assert.equal(add_rr_param.call(callOf(state, more), ';b=2'), true);
  const usual = ['Record-Route: <sip:192.0.2.1:5060;lr;ftag=fa1;a=1>'];
  assert.deepEqual(
    [msg, early, twice, without, more].map((each) => recorded(each)),
    [usual, usual, usual, [], ['Record-Route: <sip:192.0.2.1:5060;lr;ftag=fa1;a=1;b=2>']],
  );
});

test('add_rr_param: adds parameters, before record_route and after', () => {
  const call = callOf(init(), request());
  assert.equal(add_rr_param.call(call, ';nat=yes'), true);
  record_route.call(call);
  assert.equal(add_rr_param.call(call, ';a;b=%20'), true);
  assert.deepEqual(recorded(call.msg), ['Record-Route: <sip:192.0.2.1:5060;lr;ftag=fa1;nat=yes;a;b=%20>']);
});

test('add_rr_param: what is no parameter is ERR_URI_PARAM', () => {
  for (const text of [
    '',
    'nat=yes',
    ';',
    ';=x',
    ';a=b>',
    ';a=b\r\nX: 1',
    ';a=b;',
    ';a b',
    ';a=%2',
    ';a,b',
    ';a=x@y',
  ]) {
    const call = callOf(init(), request());
    assert.throws(() => add_rr_param.call(call, text), { code: 'ERR_URI_PARAM' }, text);
    record_route.call(call);
    assert.deepEqual(recorded(call.msg), ['Record-Route: <sip:192.0.2.1:5060;lr;ftag=fa1>']);
  }
});

test('record_route: uses the address that is advertised', () => {
  const advertised = { ...point(), advertisedHost: 'sip.example.com', sentBy: 'sip.example.com:5060' };
  const msg = request({ received: { ...received, point: advertised } });
  record_route.call(callOf(init(), msg));
  assert.deepEqual(recorded(msg, advertised), ['Record-Route: <sip:sip.example.com:5060;lr;ftag=fa1>']);
});
