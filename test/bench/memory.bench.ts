/**
 * Memory of transactions, in a proxy without sockets: while they are live, and in their final wait (32 s). Heap and buffers are measured after
 * garbage collection, and divided by the transactions; one counts with both its sides, server and client.
 *
 *     node --expose-gc dist/test/bench/memory.bench.js [TRANSACTIONS]
 */
import { setImmediate } from 'node:timers/promises';
import { type BareProxy, PORTS, startBareProxy } from './bare-proxy.ts';
import { headerOf, inDialogOf, inviteOf, responseTo, SDP } from '../../core/main/plain-call.ts';
import { shown, table } from './table.ts';

const { gc } = globalThis;
const count = Number(process.argv[2] ?? 10_000);
if (gc === undefined || !Number.isSafeInteger(count) || count < 1) {
  throw new Error('node --expose-gc memory.bench.js [TRANSACTIONS]');
}

/** Transactions before those that are measured, in which code is compiled and tables are made. */
const WARM_UP = 500;
const { caller, callee, proxy: target } = PORTS;

/** What is in use, bytes. */
interface Use {
  readonly heap: number;
  readonly buffers: number;
}

function inUse(): Use {
  gc?.();
  gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  // What stands in `external` beside array buffers belongs to the heap's strings and code.
  return { heap: heapUsed + external - arrayBuffers, buffers: arrayBuffers };
}

/** Gives the proxy a message in memory of its own, as a socket does, and lets it do all that follows. Returns what it sent last. */
async function give(proxy: BareProxy, text: string, from: 'caller' | 'callee'): Promise<string> {
  const bytes = Buffer.allocUnsafeSlow(text.length);
  bytes.write(text, 'latin1');
  proxy.receive(bytes, from);
  await setImmediate();
  return proxy.last();
}

type Step = (proxy: BareProxy, call: string) => Promise<string>;

async function ring(proxy: BareProxy, call: string): Promise<string> {
  const invite = await give(proxy, inviteOf(call, { caller, target }), 'caller');
  await give(proxy, responseTo(invite, '180 Ringing', { callee }), 'callee');
  return invite;
}

async function answer(proxy: BareProxy, call: string): Promise<string> {
  const invite = await ring(proxy, call);
  const ok = await give(proxy, responseTo(invite, '200 OK', { callee, body: SDP }), 'callee');
  await give(proxy, inDialogOf('ACK', call, { ok, caller }), 'caller');
  return ok;
}

/** The ACK of a failure, which belongs to the INVITE's transaction. */
function ackOf(invite: string, failure: string): string {
  const lines = ['Via', 'From', 'Call-ID', 'Max-Forwards'].map(
    (name) => `${name}: ${headerOf(invite, name)}`,
  );
  const [, uri] = invite.split(' ', 2);
  return [
    `ACK ${uri} SIP/2.0`,
    ...lines,
    `To: ${headerOf(failure, 'To')}`,
    'CSeq: 1 ACK',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

const STEPS: Readonly<Record<string, Step>> = {
  'INVITE, ringing (live)': ring,
  'INVITE, answered with 200, final wait': answer,
  async 'INVITE, refused with 486 and acknowledged, final wait'(proxy, call) {
    const sent = await ring(proxy, call);
    const failure = await give(proxy, responseTo(sent, '486 Busy Here', { callee }), 'callee');
    return give(proxy, ackOf(inviteOf(call, { caller, target }), failure), 'caller');
  },
  async 'INVITE and BYE, both answered, final wait of two'(proxy, call) {
    const ok = await answer(proxy, call);
    const bye = await give(proxy, inDialogOf('BYE', call, { ok, caller }), 'caller');
    return give(proxy, responseTo(bye, '200 OK', { callee }), 'callee');
  },
};

const rows: string[][] = [];
for (const [name, step] of Object.entries(STEPS)) {
  const proxy = await startBareProxy();
  for (let i = 0; i < WARM_UP; i += 1) await step(proxy, `w${i}`);
  const before = inUse();
  for (let i = 0; i < count; i += 1) await step(proxy, String(i));
  const after = inUse();
  const [heap, buffers] = [after.heap - before.heap, after.buffers - before.buffers].map((bytes) =>
    shown(bytes / count),
  );
  rows.push([name, heap ?? '', buffers ?? '']);
  await proxy.stop();
}
process.stdout.write(`${count} transactions, bytes for each\n\n${table(['', 'heap', 'buffers'], rows)}`);
