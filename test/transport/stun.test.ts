import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isStun, stunAnswer } from '../../core/transport/stun.ts';
import { nextDatagram, peer, started, V4, V6 } from './harness.ts';

/** The transaction of RFC 5769 2.1 to 2.3. */
const TRANSACTION = 'b7e7a701bc34d686fa87dfae';

/** A STUN message of this type with these attributes, all in hex. */
function stun(type: string, attributes = ''): Buffer {
  const length = (attributes.length / 2).toString(16).padStart(4, '0');
  return Buffer.from(`${type}${length}2112a442${TRANSACTION}${attributes}`, 'hex');
}

const REQUEST = stun('0001');

test('stun: a Binding request is answered with where it came from (test vectors of RFC 5769 2.2 and 2.3)', () => {
  const v4 = stunAnswer(REQUEST, '192.0.2.1', 32_853);
  assert.equal(v4?.toString('hex'), stun('0101', '002000080001a147e112a643').toString('hex'));
  const v6 = stunAnswer(REQUEST, '2001:db8:1234:5678:11:2233:4455:6677', 32_853);
  const hidden = '0113a9faa5d3f179bc25f4b5bed2b9d9';
  assert.equal(v6?.toString('hex'), stun('0101', `002000140002a147${hidden}`).toString('hex'));
});

test('stun: what a client may say about itself changes nothing', () => {
  const software = '8022000461626364';
  const priority = '8024000400000001';
  const credentials = `000600036162630000080014${'00'.repeat(20)}`;
  for (const attributes of [software, priority + software, credentials])
    assert.equal(stunAnswer(stun('0001', attributes), '192.0.2.1', 1)?.readUInt16BE(0), 0x01_01);
});

test('stun: an attribute that would have to be understood gets 420, which names it', () => {
  const answer = stunAnswer(stun('0001', '00030004000000067fff0000'), '192.0.2.1', 1);
  const reason = Buffer.from('Unknown Attribute').toString('hex');
  const error = `0009001500000414${reason}000000`;
  assert.equal(answer?.toString('hex'), stun('0111', `${error}000a000400037fff`).toString('hex'));
  const many = stunAnswer(stun('0001', '00030000'.repeat(300)), '192.0.2.1', 1);
  assert.ok(many !== null && many.length < 100, 'no more than eight are named');
});

test('stun: other messages, and malformed ones, get no answer', () => {
  for (const [type, attributes] of [
    ['0101', ''],
    ['0111', ''],
    ['0011', ''],
    ['0003', ''],
    ['0001', '8022'],
    ['0001', '8022000861626364'],
  ] as const)
    assert.equal(stunAnswer(stun(type, attributes), '192.0.2.1', 1), null, type + attributes);
  const cut = Buffer.concat([REQUEST, Buffer.alloc(4)]);
  assert.equal(stunAnswer(cut, '192.0.2.1', 1), null);
});

test('stun: any bytes are told apart, and answered or not, without an exception', () => {
  assert.equal(isStun(Buffer.from('OPTIONS sip:a@b SIP/2.0\r\n\r\n')), false);
  assert.equal(isStun(REQUEST.subarray(0, 19)), false);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (rest) => {
      const bytes = Buffer.concat([REQUEST, rest]);
      bytes.writeUInt16BE(rest.length, 2);
      const answer = stunAnswer(bytes, '192.0.2.1', 1);
      if (answer !== null) assert.equal(answer.length, 20 + answer.readUInt16BE(2));
    }),
  );
});

for (const option of [V4, V6]) {
  test(`stun: is answered by a UDP listen point of ${option.host}, and is no message`, async (t) => {
    const { transports, arrived, point } = await started(t, option);
    const { socket, port } = await peer(t, option.host);
    const answer = nextDatagram(socket);
    socket.send(REQUEST, point.port, option.host);
    const { bytes } = await answer;
    assert.deepEqual(bytes, stunAnswer(REQUEST, option.host, port));
    assert.deepEqual(arrived, []);
    assert.equal(transports.statistics()[0]?.keepAlives, 1);
  });
}
