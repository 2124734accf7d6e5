import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ProxyError } from '../../../core/errors.ts';
import { parseUri } from '../../../core/sip/uri.ts';
import { pv } from '../../../modules/pv/pv.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, printed, request, response } from '../fake-core.ts';

const { $ru, $rU, $rd, $rp, $du } = pv.pseudoVariables;
const state = pv.init({ params: {}, log: recordedLog(), core: fakeCore(), deps: {} });

test('$ru: sets the Request-URI that leaves, the one received stays readable', () => {
  const call = callOf(state, request());
  $ru.set(call, 'sips:carol@example.net:5063;a=b');
  assert.equal($ru.get(call), 'sips:carol@example.net:5063;a=b');
  assert.equal(pv.pseudoVariables.$ou.get(call), 'sip:bob@example.com');
  assert.match(printed(call.msg), /^INVITE sips:carol@example\.net:5063;a=b SIP\/2\.0\r\n/);
});

test('$ru, $du: what is no URI is ERR_URI_SYNTAX and changes nothing', () => {
  for (const text of ['', 'bob', 'sip:', 'sip:a b@c', 'sip:a@b c', 'sip:a@b:99999', 'sip:bob@x SIP/2.0']) {
    const call = callOf(state, request());
    assert.throws(() => $ru.set(call, text), { code: 'ERR_URI_SYNTAX' }, text);
    assert.throws(() => $du.set(call, text), { code: 'ERR_URI_SYNTAX' }, text);
    assert.equal(call.msg.uri, 'sip:bob@example.com');
    assert.equal(call.msg.nextHop, null);
  }
});

test('$ru, $rU, $rd, $du: a line break is ERR_TEXT_LINE_BREAK', () => {
  const call = callOf(state, request());
  for (const bad of ['sip:a@b\r\nX: 1', 'a\n', '\rb']) {
    for (const [name, variable] of Object.entries({ $ru, $rU, $rd, $du })) {
      assert.throws(() => variable.set(call, bad), {
        code: 'ERR_TEXT_LINE_BREAK',
        message: `${name}: a line break stands in ${JSON.stringify(bad)}`,
      });
    }
  }
});

test('$rU, $rd, $rp: change their part of the Request-URI and no other', () => {
  const uri = 'sip:bob:pw@example.com:5080;transport=tcp?x=y';
  const rows: [
    change: (call: ReturnType<typeof callOf<typeof state, ReturnType<typeof request>>>) => void,
    after: string,
  ][] = [
    [(call) => $rU.set(call, 'carol'), 'sip:carol:pw@example.com:5080;transport=tcp?x=y'],
    [(call) => $rU.set(call, 4930), 'sip:4930:pw@example.com:5080;transport=tcp?x=y'],
    [(call) => $rU.set(call, null), 'sip:example.com:5080;transport=tcp?x=y'],
    [(call) => $rd.set(call, 'host.example'), 'sip:bob:pw@host.example:5080;transport=tcp?x=y'],
    [(call) => $rd.set(call, '[2001:db8::1]'), 'sip:bob:pw@[2001:db8::1]:5080;transport=tcp?x=y'],
    [(call) => $rp.set(call, 5099), 'sip:bob:pw@example.com:5099;transport=tcp?x=y'],
    [(call) => $rp.set(call, '5098'), 'sip:bob:pw@example.com:5098;transport=tcp?x=y'],
    [(call) => $rp.set(call, null), 'sip:bob:pw@example.com;transport=tcp?x=y'],
  ];
  for (const [change, after] of rows) {
    const call = callOf(state, request({ uri }));
    change(call);
    assert.equal(call.msg.uri, after);
  }
});

test('$rU: can be set where there was none', () => {
  const call = callOf(state, request({ uri: 'sip:example.com' }));
  $rU.set(call, 'bob');
  assert.equal(call.msg.uri, 'sip:bob@example.com');
});

/** Chars that end a user, and some that need encoding. */
const ODD_CHARS = ['a', '@', ':', ';', '?', '=', '<', '>', ' ', '%', ',', '"', '/', '\r', '\n', '\u00e9'];

test('$rU: no text reaches beyond the user', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...ODD_CHARS) })), (text) => {
      const call = callOf(state, request({ uri: 'sip:bob@example.com:5080;a=b' }));
      try {
        $rU.set(call, text);
      } catch (error) {
        assert(error instanceof ProxyError);
        assert.match(error.code, /^ERR_(URI_SYNTAX|TEXT_LINE_BREAK)$/);
      }
      const after = parseUri(call.msg.uri);
      assert(after.ok);
      const { host, port, params, password, headers } = after.value;
      assert.deepEqual([host, port, password, headers], ['example.com', 5080, null, null]);
      assert.deepEqual(params, [{ name: 'a', value: 'b' }]);
    }),
  );
});

test('$rd: what is no host is ERR_URI_SYNTAX', () => {
  for (const text of ['', 'a@b', 'a:5060', 'a;b', '2001:db8::1', 'a b']) {
    const call = callOf(state, request());
    assert.throws(() => $rd.set(call, text), { code: 'ERR_URI_SYNTAX' }, text);
    assert.equal(call.msg.uri, 'sip:bob@example.com');
  }
});

test('$rp: what is no port is ERR_PV_VALUE', () => {
  for (const value of [0, -1, 65_536, 1.5, 'x', '', ' ']) {
    assert.throws(() => $rp.set(callOf(state, request()), value), {
      code: 'ERR_PV_VALUE',
      message: `$rp: expected a port from 1 to 65535, found ${JSON.stringify(String(value))}`,
    });
  }
});

test('$rd: a tel URI becomes a SIP URI (RFC 3261 19.1.6)', () => {
  const rows = [
    ['tel:+123', 'sip:+123@gw.example;user=phone'],
    [
      'tel:+1-201-555-0123;npdi;phone-context=a:b',
      'sip:+1-201-555-0123;npdi;phone-context=a%3Ab@gw.example;user=phone',
    ],
  ] as const;
  for (const [uri, after] of rows) {
    const call = callOf(state, request({ uri }));
    $rd.set(call, 'gw.example');
    assert.equal(call.msg.uri, after);
    assert.equal($rU.get(call), /^tel:([^;]*)/.exec(uri)?.[1]);
  }
});

test('$rp: of a URI that has no host is ERR_URI_SYNTAX', () => {
  const call = callOf(state, request({ uri: 'tel:+123' }));
  assert.throws(() => $rp.set(call, 5061), { code: 'ERR_URI_SYNTAX' });
});

test('$rU: of a telephone subscriber it is the number, and what stands behind it stays', () => {
  const call = callOf(state, request({ uri: 'sip:+1201;npdi;rn=+1301@example.com;user=phone' }));
  assert.equal($rU.get(call), '+1201');
  $rU.set(call, '+1202');
  assert.equal(call.msg.uri, 'sip:+1202;npdi;rn=+1301@example.com;user=phone');
  $rU.set(call, null);
  assert.equal(call.msg.uri, 'sip:example.com;user=phone');
  const other = callOf(state, request({ uri: 'sip:+1201;isub=1@example.com' }));
  assert.equal($rU.get(other), '+1201;isub=1');
});

test('$ru, $rd: null is ERR_PV_VALUE: a request cannot be without', () => {
  const call = callOf(state, request());
  // By name a handler may set any variable to null.
  const nothing: string = JSON.parse('null');
  for (const variable of [$ru, $rd]) {
    assert.throws(() => variable.set(call, nothing), {
      code: 'ERR_PV_VALUE',
      message: /expected a text, found null$/,
    });
  }
});

test('$du: sets the next hop with its host, port and transport; null unsets it', () => {
  const { $dd, $dp, $dP } = pv.pseudoVariables;
  const call = callOf(state, request());
  $du.set(call, 'sip:203.0.113.9:5071;transport=tcp');
  assert.equal(call.msg.nextHop, 'sip:203.0.113.9:5071;transport=tcp');
  assert.deepEqual([$dd.get(call), $dp.get(call), $dP.get(call)], ['203.0.113.9', 5071, 'tcp']);
  $du.set(call, null);
  assert.equal(call.msg.nextHop, null);
  assert.equal($du.get(call), null);
});

test('setters: text that is not ASCII goes out in UTF-8', () => {
  const call = callOf(state, request());
  $ru.set(call, 'urn:zoë');
  assert.equal(call.msg.uri, 'urn:zo\xc3\xab');
  assert.equal($ru.get(call), 'urn:zoë');
});

test('setters: on a reply are ERR_PV_IN_REPLY', () => {
  const call = callOf(state, response());
  for (const [name, set] of Object.entries({
    $ru: () => $ru.set(call, 'sip:a@b'),
    $rU: () => $rU.set(call, 'a'),
    $rd: () => $rd.set(call, 'b'),
    $rp: () => $rp.set(call, 5060),
    $du: () => $du.set(call, null),
  })) {
    assert.throws(set, {
      code: 'ERR_PV_IN_REPLY',
      message: `${name} belongs to requests: it cannot be set on a reply`,
    });
  }
});
