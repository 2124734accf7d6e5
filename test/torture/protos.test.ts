import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import { material } from './material.ts';
import { fillCase, type ProtosCase, type ProtosFields, readProtosCases } from './protos-cases.ts';
import { TortureRig, unusable } from './rig.ts';

/** Cases of the suite. */
const CASES = 1578;
/** A datagram can hold no more bytes (65,535 less the headers of IPv4 and UDP). */
const MAX_DATAGRAM_BYTES = 65_507;
/** How often all cases are run. Those over TCP take longest, and find a proxy that is warm already. */
const ROUNDS = { UDP: 6, TCP: 3 };
/** In the first rounds the proxy's memory settles: they take longer than it keeps a transaction here. */
const WARM_UP_ROUNDS = 2;
/** What the proxy's memory may grow by in all rounds behind these, MB. */
const MAX_GROWTH_MB = 30;
/** Within this time the proxy must have closed a connection that its peer has ended, ms. */
const CLOSE_BOUND_MS = 5_000;

/** Resident memory of a process, MB. */
function residentMb(pid: number): number {
  const [, kb] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kb) / 1024;
}

/** Sends bytes by a connection of their own, ends it, and waits until the proxy has closed it as well. */
async function sendByTcp(rig: TortureRig, messages: readonly Buffer[]): Promise<void> {
  const socket = connect({ port: rig.proxy.portOf('tcp'), host: '127.0.0.1', localAddress: rig.address });
  let late = false;
  await new Promise<void>((resolve) => {
    socket.setTimeout(CLOSE_BOUND_MS, () => {
      late = true;
      socket.destroy();
    });
    // The proxy closes at once on what is no SIP: what was still to be sent then breaks.
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    socket.resume();
    for (const bytes of messages) socket.write(bytes);
    socket.end();
  });
  assert.ok(!late, 'the connection stayed open');
}

const archive = material('protos-c07-sip.tar.gz');

describe('torture: PROTOS c07-sip', {
  skip: archive === null ? 'protos-c07-sip.tar.gz is missing' : unusable,
}, () => {
  if (archive === null) return;
  let rig: TortureRig;
  let cases: readonly ProtosCase[];
  before(async () => {
    cases = readProtosCases(archive);
    rig = await TortureRig.start();
  });
  after(() => rig.stop());

  /**
   * Runs the cases one by one, in rounds: after each the proxy must pass on OPTIONS, and what it passed on must be well formed. In the end
   * its memory must not have grown since the warm-up.
   */
  async function run(
    t: TestContext,
    fields: Omit<ProtosFields, 'id' | 'address' | 'port'>,
    send: (messages: readonly Buffer[]) => Promise<void>,
  ): Promise<void> {
    const { address, port } = rig;
    const residentMbs: number[] = [];
    let [sent, forwarded] = [0, 0];
    rig.slowestMs = 0;
    for (let round = 1; round <= ROUNDS[fields.transport]; round += 1) {
      for (const one of cases) {
        const id = `${fields.transport}${round}x${one.name}`;
        const messages = fillCase(one, { id, address, port, ...fields });
        if (fields.transport === 'UDP' && messages[0].length > MAX_DATAGRAM_BYTES) continue;
        await send(messages);
        const longest = Math.max(...messages.map(({ length }) => length));
        await rig
          .probe(longest)
          .catch((error: unknown) => assert.fail(`after case ${one.name}: ${String(error)}`));
        assert.deepEqual(rig.sink.faults, [], `case ${one.name}`);
        sent += 1;
        forwarded += rig.sink.requests.splice(0).length;
        rig.replies.length = 0;
      }
      residentMbs.push(Math.round(residentMb(rig.proxy.pid)));
    }
    t.diagnostic(
      `${sent} cases in ${residentMbs.length} rounds, ${forwarded} requests sent on; slowest OPTIONS ${rig.slowestMs.toFixed(1)} ms; MB after each round: ${residentMbs.join(', ')}`,
    );
    assert.ok(forwarded > 0, 'some cases are sent on');
    const growth = (residentMbs.at(-1) ?? Number.NaN) - (residentMbs[WARM_UP_ROUNDS - 1] ?? Number.NaN);
    assert.ok(growth < MAX_GROWTH_MB, `memory grew: ${residentMbs.join(', ')} MB`);
  }

  test('protos: the suite has all its cases', () => {
    assert.equal(cases.length, CASES);
    assert.ok(cases.every(({ teardown }) => teardown.includes('Call-ID: <Call-ID>')));
  });

  test('protos: over UDP, with CANCEL behind, no case stops the proxy, grows its memory or smuggles a header', (t) =>
    run(t, { transport: 'UDP', teardownMethod: 'CANCEL' }, async (messages) => {
      for (const bytes of messages) await rig.send(bytes);
    }));

  test('protos: over TCP, with BYE behind, no case stops the proxy, grows its memory or smuggles a header', (t) =>
    run(t, { transport: 'TCP', teardownMethod: 'BYE' }, (messages) => sendByTcp(rig, messages)));

  test('protos: the proxy logged no error', () => {
    assert.deepEqual(
      rig.proxy.log().filter(({ level }) => level === 'error'),
      [],
    );
  });
});
