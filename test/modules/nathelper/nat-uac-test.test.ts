import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest, SipResponse } from '../../../core/index.ts';
import { nathelper } from '../../../modules/nathelper/nathelper.ts';
import { callOf, parsed, proxyPoint, received, request, response, text } from '../fake-core.ts';

const FLAGS = [1, 2, 4, 8, 16, 32, 64, 128];
const asks = (msg: SipRequest | SipResponse, flags: number) =>
  nathelper.functions.nat_uac_test.call(callOf(null, msg), flags);
/** The flags whose tests are true for a message. */
const flagsOf = (msg: SipRequest | SipResponse) => FLAGS.filter((flag) => asks(msg, flag));

const contact = (...values: string[]) => values.map((value) => `Contact: ${value}`);
const via = (value: string, from = received) =>
  parsed(
    text([
      'OPTIONS sip:bob@example.com SIP/2.0',
      `Via: SIP/2.0/${value};branch=z9hG4bKa1`,
      'From: <sip:alice@example.org>;tag=fa1',
      'To: <sip:bob@example.com>',
      'Call-ID: c1',
      'CSeq: 1 OPTIONS',
    ]),
    from,
  );
const sdp = (type: string, address: string) =>
  request({
    headers: [`Content-Type: ${type}`],
    body: `v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN ${address}\r\nt=0 0\r\n`,
  });

test('nat_uac_test: each test is true for its own kind of message', () => {
  const rows: [msg: SipRequest | SipResponse, flags: number[]][] = [
    [request(), []],
    [request({ headers: contact('<sip:a@198.51.100.7:5070>') }), []],
    [request({ headers: contact('<sip:a@10.0.0.1:5070>') }), [1]],
    [request({ headers: contact('<sip:a@198.51.100.7:5070>', '<sip:a@[fd00::1]:5070>') }), [1]],
    [request({ headers: contact('<sip:a@198.51.100.7>') }), [128]],
    [request({ headers: contact('<sip:a@10.0.0.1') }), []],
    [request({ headers: contact('*') }), []],
    [via('UDP 198.51.100.8:5070'), [2]],
    [via('UDP 192.168.1.2:5070'), [2, 4]],
    [via('UDP pc.example.org:5070'), [2]],
    [via('UDP 198.51.100.7'), [16]],
    [via('UDP 198.51.100.7', { ...received, port: 5060 }), []],
    [via('TLS 198.51.100.7', { ...received, port: 5061 }), []],
    [via('UDP [2001:DB8:0::1]:5070', { ...received, address: '2001:db8::1' }), []],
    [via('UDP 10.0.0.1:5070', { ...received, address: '10.0.0.1' }), [4, 32]],
    [via('WS 198.51.100.7:5070', { ...received, point: { ...proxyPoint, protocol: 'ws' } }), [64]],
    [via('WSS 198.51.100.7:5070', { ...received, point: { ...proxyPoint, protocol: 'wss' } }), [64]],
    [sdp('application/sdp', 'IP4 100.64.0.1'), [8]],
    [sdp('Application/SDP;x=y', 'IP6 fd00::1'), [8]],
    [sdp('application/sdp', 'IP4 10.0.0.1/127'), [8]],
    [sdp('multipart/mixed;boundary=x', 'IP4 10.0.0.1'), [8]],
    [sdp('application/sdp', 'IP4 198.51.100.7'), []],
    [sdp('text/plain', 'IP4 10.0.0.1'), []],
    [response(), []],
    [response({ headers: contact('<sip:b@10.0.0.9>') }), [1, 128]],
  ];
  for (const [msg, flags] of rows) assert.deepEqual(flagsOf(msg), flags, msg.head);
});

test('nat_uac_test: a Contact without a port has the default one of its transport', () => {
  const rows: [uri: string, port: number][] = [
    ['sip:a@198.51.100.7', 5060],
    ['sip:a@198.51.100.7;transport=tls', 5061],
    ['sips:a@198.51.100.7', 5061],
    ['sip:a@198.51.100.7;transport=ws', 80],
  ];
  for (const [uri, port] of rows) {
    const headers = contact(`<${uri}>`);
    assert.equal(asks(request({ headers, received: { ...received, port } }), 128), false, uri);
    assert.equal(asks(request({ headers, received: { ...received, port: 5099 } }), 128), true, uri);
  }
});

test('nat_uac_test: of several flags one is enough', () => {
  const msg = request({ headers: contact('<sip:a@10.0.0.1:5070>') });
  assert.equal(asks(msg, 1 + 2 + 64), true);
  assert.equal(asks(msg, 2 + 4 + 64), false);
});

test('nat_uac_test: what is no sum of flags is ERR_FLAGS', () => {
  for (const flags of [0, -1, 256, 1.5, Number.NaN]) {
    assert.throws(() => asks(request(), flags), {
      code: 'ERR_FLAGS',
      message: `nat_uac_test: expected a sum of flags from 1 to 255, found ${flags}`,
    });
  }
});
