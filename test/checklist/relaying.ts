import assert from 'node:assert/strict';
import { defineRoutes } from '../../core/index.ts';
import { proxyRig, type Sent } from '../proxy-rig.ts';
import { CALLER, request } from '../modules/tm/messages.ts';

/** Sends everything on to where it asks to go. */
export const relayAll = defineRoutes({
  uses: ['tm'],
  async request({ ksr }) {
    await ksr.tm.t_relay();
  },
});

/** Stays on the path of dialogs and routes within them by their Route set. */
export const recordRoute = defineRoutes({
  uses: ['tm', 'rr', 'siputils'],
  async request({ ksr }) {
    ksr.rr.loose_route();
    if (!ksr.siputils.has_totag()) ksr.rr.record_route();
    await ksr.tm.t_relay();
  },
});

/** Adds to a message the header lines of `headers`, on top of the others but below the first Via. */
export function withHeaders(message: string, headers: string): string {
  return message.replace(/^Max-Forwards/m, `${headers}Max-Forwards`);
}

/** A proxy that has been sent a request by the caller, and all that it sent for it. */
export async function sending(message: string, routes: unknown = relayAll) {
  const rig = await proxyRig(routes);
  await rig.receive(message, CALLER);
  return { rig, sent: rig.take() };
}

/** What went on of a request: the one message among `sent` that is a request. */
export function forwarded(sent: readonly Sent[]): Sent {
  const requests = sent.filter(({ text }) => !text.startsWith('SIP/2.0'));
  assert.equal(requests.length, 1, 'one request goes on');
  return requests[0]!;
}

/** A rig whose INVITE went on; `invite` is what the callee got. */
export async function inviting(message: string = request(), routes: unknown = relayAll) {
  const { rig, sent } = await sending(message, routes);
  return { rig, sent, invite: forwarded(sent).text };
}

/** Status line and all header lines of these names, in order. */
export function linesOf(text: string, name: string): string[] {
  return text.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
}
