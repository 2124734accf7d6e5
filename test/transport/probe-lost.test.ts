import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import type { DatagramSocketOptions, Sent } from '../../core/transport/datagram-socket.ts';
import { Transports } from '../../core/transport/transports.ts';
import { V4 } from './harness.ts';
import { recordedLog } from './recorded-log.ts';

const OWN = { address: '127.0.0.1', port: 5060 };
/** Turns of the event loop after which what does not wait for a datagram has long been called. */
const TURNS = 10;

/** A listen address whose own datagrams take the way that `way` says. */
async function probing(t: TestContext, way: (bytes: Buffer, sent: Sent | undefined) => void) {
  const arrived: Buffer[] = [];
  const sockets: DatagramSocketOptions[] = [];
  const transports = new Transports({
    listen: [V4],
    log: recordedLog(),
    clock: new FakeClock(),
    sink: (bytes) => arrived.push(bytes),
    openUdp: async (options) => {
      sockets.push(options);
      return {
        address: () => OWN,
        send: (bytes, _port, _address, sent) => way(bytes, sent),
        getSendQueueSize: () => 0,
        close: (closed) => closed?.(),
      };
    },
  });
  await transports.start();
  t.after(() => transports.close());
  return {
    arrived,
    arrives: (bytes: Buffer) => sockets[0]?.onDatagram(bytes, OWN),
    /** Whether a probe comes back by itself. */
    comesBack: async (): Promise<boolean> => {
      let back = false;
      transports.probe(() => {
        back = true;
      });
      for (let i = 0; i < TURNS; i += 1) await turn();
      return back;
    },
  };
}

test('probe: one that cannot be sent is back at once: the address may have gone', async (t) => {
  const { comesBack } = await probing(t, (_, sent) =>
    process.nextTick(() => sent?.(new Error('ENETUNREACH'), 0)),
  );
  assert.equal(await comesBack(), true);
  assert.equal(await comesBack(), true);
});

test('probe: where the first was lost, and none has ever come back, none is waited for until one does', async (t) => {
  const sent: Buffer[] = [];
  const { arrived, arrives, comesBack } = await probing(t, (bytes) => sent.push(bytes));
  assert.equal(await comesBack(), false);
  assert.equal(await comesBack(), true);
  assert.equal(await comesBack(), true);
  const [late] = sent;
  assert.ok(late !== undefined);
  arrives(late);
  assert.equal(await comesBack(), false);
  // What is lost later is an overload, in which the system drops datagrams.
  assert.equal(await comesBack(), false);
  assert.deepEqual(arrived, []);
});
