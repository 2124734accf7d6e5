/**
 * CPU of one whole call in the proxy, without sockets and memcached: INVITE, 180, 200, ACK, BYE, 200 through ingress, routes, transactions and
 * printing. Prints microseconds a call, best and median of several rounds.
 */
import { setImmediate } from 'node:timers/promises';
import { PORTS, startBareProxy } from './bare-proxy.ts';
import { inDialogOf, inviteOf, responseTo, SDP } from '../../core/main/plain-call.ts';
import { median } from './statistics.ts';

const ROUNDS = 12;
const CALLS = 1_000;

const proxy = await startBareProxy();

/** What the proxy is given and made to wait for is not counted: `spent` is. */
let spent = 0;
async function give(text: string, from: 'caller' | 'callee'): Promise<string> {
  const bytes = Buffer.from(text, 'latin1');
  const before = process.cpuUsage();
  proxy.receive(bytes, from);
  await setImmediate();
  const { user, system } = process.cpuUsage(before);
  spent += user + system;
  return proxy.last();
}

const { caller, callee, proxy: target } = PORTS;

/** All calls of a round take each step together, as they do in a proxy that has many at a time. */
async function round(number: number): Promise<number> {
  spent = 0;
  const ids = Array.from({ length: CALLS }, (_, i) => String(number * CALLS + i));
  const invites: string[] = [];
  const oks: string[] = [];
  const byes: string[] = [];
  for (const call of ids) invites.push(await give(inviteOf(call, { caller, target }), 'caller'));
  for (const invite of invites) await give(responseTo(invite, '180 Ringing', { callee }), 'callee');
  for (const invite of invites) {
    oks.push(await give(responseTo(invite, '200 OK', { callee, body: SDP }), 'callee'));
  }
  for (const [i, call] of ids.entries())
    await give(inDialogOf('ACK', call, { ok: oks[i] ?? '', caller }), 'caller');
  for (const [i, call] of ids.entries()) {
    byes.push(await give(inDialogOf('BYE', call, { ok: oks[i] ?? '', caller }), 'caller'));
  }
  for (const bye of byes) await give(responseTo(bye, '200 OK', { callee }), 'callee');
  return spent / CALLS;
}

const figures: number[] = [];
for (let i = 0; i < ROUNDS; i += 1) figures.push(await round(i));
const perCall = proxy.sends() / (ROUNDS * CALLS);
process.stdout.write(
  `whole call in the proxy, no sockets: best ${Math.min(...figures).toFixed(1)} us, median ${median(figures).toFixed(1)} us, ${perCall} messages sent a call\n`,
);
await proxy.stop();
