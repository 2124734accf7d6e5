import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { ListenPoint, Received } from '../../../core/index.ts';
import { parseUri } from '../../../core/sip/uri.ts';
import { FlowTokenCodec } from '../../../modules/outbound/flow-token.ts';
import { point } from '../fake-core.ts';

const KEY = Buffer.alloc(32, 1);
const UDP = point();
const TCP: ListenPoint = { ...point(), protocol: 'tcp' };
const V6: ListenPoint = { ...point('2001:db8::1', 5061), protocol: 'tls', family: 6 };
const POINTS = [UDP, TCP, V6];
const codec = new FlowTokenCodec(KEY, 'run1');

const flows: fc.Arbitrary<Received> = fc.record({
  point: fc.constantFrom(...POINTS),
  address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('fe80::1%eth0')),
  port: fc.integer({ min: 1, max: 65_535 }),
  flow: fc.nat(),
});

test('flow token: leads back to the flow that it was made of, and is a user part', () => {
  fc.assert(
    fc.property(flows, (received) => {
      const token = codec.encode(received);
      const uri = parseUri(`sip:${token}@192.0.2.1`);
      assert.equal(uri.ok && uri.value.user, token);
      const { point: at, address, port, flow } = received;
      const target = { protocol: at.protocol, address, port, point: at, flow, onlyFlow: true };
      assert.deepEqual(codec.decode(token, POINTS), { ok: true, token, target });
    }),
  );
});

test('flow token: no two flows have the same', () => {
  fc.assert(
    fc.property(flows, flows, (a, b) => {
      const isSame = a.point === b.point && a.address === b.address && a.port === b.port && a.flow === b.flow;
      assert.equal(codec.encode(a) === codec.encode(b), isSame);
    }),
  );
});

function bytesOf(token: string): string {
  return Buffer.from(token.slice('flow-'.length), 'base64url').toString('hex');
}

test('flow token: one with any char changed, cut or added is no token', () => {
  const received = { point: TCP, address: '198.51.100.7', port: 5070, flow: 7 };
  const token = codec.encode(received);
  for (let i = 'flow-'.length; i < token.length; i += 1) {
    for (const char of 'Az09-_') {
      const changed = token.slice(0, i) + char + token.slice(i + 1);
      // The last char may hold bits that mean nothing.
      if (bytesOf(changed) !== bytesOf(token)) assert.equal(codec.decode(changed, POINTS).ok, false, changed);
    }
    assert.equal(codec.decode(token.slice(0, i), POINTS).ok, false);
  }
  assert.equal(codec.decode(`${token}AAAA`, POINTS).ok, false);
  assert.equal(codec.decode('flow-', POINTS).ok, false);
});

test('flow token: one of another key is none; one of the same key outlives a restart over UDP', () => {
  const received = { point: UDP, address: '198.51.100.7', port: 5070, flow: 0 };
  const token = codec.encode(received);
  assert.equal(new FlowTokenCodec(Buffer.alloc(32, 2), 'run1').decode(token, POINTS).ok, false);
  const restarted = new FlowTokenCodec(KEY, 'run2').decode(token, POINTS);
  assert.ok(restarted.ok);
  assert.equal(restarted.target.point, UDP);
});

test('flow token: a connection of an earlier run, and a listen point that is no more, are flows that are gone', () => {
  const gone = { protocol: 'tcp', flow: -1, onlyFlow: true };
  const ofEarlierRun = codec.encode({ point: TCP, address: '198.51.100.7', port: 5070, flow: 7 });
  const ofOtherPoint = codec.encode({ point: UDP, address: '198.51.100.7', port: 5070, flow: 0 });
  for (const found of [
    new FlowTokenCodec(KEY, 'run2').decode(ofEarlierRun, POINTS),
    codec.decode(ofOtherPoint, [TCP, V6]),
  ]) {
    assert.ok(found.ok);
    const { protocol, flow, onlyFlow } = found.target;
    assert.deepEqual({ protocol, flow, onlyFlow }, gone);
  }
});
