import assert from 'node:assert/strict';
import { defineRoutes } from '../../../core/index.ts';
import { type ProxyRig, proxyRig, type Sent } from '../../proxy-rig.ts';
import { CALLER, request, response } from './messages.ts';

/** Three callees; the Request-URI means the first. */
export const DESK = '10.0.0.3';
export const CELL = '10.0.0.4';
export const HOME = '10.0.0.5';

/** Sends every request but a CANCEL to all three callees. */
export const toAll = defineRoutes({
  uses: ['tm'],
  async request({ msg, ksr }) {
    if (msg.method !== 'CANCEL') for (const host of [CELL, HOME]) ksr.tm.append_branch(`sip:bob@${host}`);
    await ksr.tm.t_relay();
  },
});

/** A rig whose caller has sent a request, and what went out for it by where it went. */
export async function forking(message: string = request(), routes: unknown = toAll) {
  const rig = await proxyRig(routes);
  await rig.receive(message, CALLER);
  const sent = rig.take();
  return {
    rig,
    sent,
    get requests() {
      return requestsBy(sent);
    },
    answers: answersOf(sent),
  };
}

/** The requests among what was sent, by the host that they went to. */
export function requestsBy(sent: readonly Sent[]): Map<string, string> {
  const requests = sent.filter(({ text }) => !text.startsWith('SIP/2.0'));
  const byHost = new Map(requests.map(({ text, to }) => [hostOf(to), text]));
  assert.equal(byHost.size, requests.length, 'one request to each');
  return byHost;
}

/** Codes of the replies that the caller got. */
export function answersOf(sent: readonly Sent[]): number[] {
  return sent
    .filter(({ text, to }) => text.startsWith('SIP/2.0') && to === '10.0.0.2:5060')
    .map(({ text }) => Number(text.slice(8, 11)));
}

/** Methods and hosts of the requests sent, such as `CANCEL 10.0.0.4`. */
export function sentTo(sent: readonly Sent[]): string[] {
  return sent
    .filter(({ text }) => !text.startsWith('SIP/2.0'))
    .map(({ text, to }) => `${text.slice(0, text.indexOf(' '))} ${hostOf(to)}`);
}

/** A callee answers a request that it got. */
export async function answers(
  rig: ProxyRig,
  sent: string | undefined,
  {
    status,
    host,
    headers = '',
  }: { readonly status: number; readonly host: string; readonly headers?: string },
): Promise<void> {
  assert.ok(sent !== undefined, `${host} got a request`);
  const text = response(sent, status, { toTag: `at-${host}` });
  await rig.receive(text.replace(/^Content-Length/m, `${headers}Content-Length`), {
    address: host,
    port: 5060,
  });
}

function hostOf(to: string): string {
  return to.slice(0, to.indexOf(':'));
}
