import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import { Exposition } from '../../core/main/exposition.ts';
import { CALLEE, CALLER, request, response } from '../modules/tm/messages.ts';
import { type ProxyRig, proxyRig } from '../proxy-rig.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { type Scraped, scraped } from './scraped.ts';

const relayAll = defineRoutes({
  uses: ['tm'],
  async request({ ksr }) {
    await ksr.tm.t_relay();
  },
});

async function scrape({ proxy }: ProxyRig): Promise<Scraped> {
  return scraped(await new Exposition(proxy.metrics, recordedLog()).text());
}

/** Asserts what some series say. */
async function assertFigures(rig: ProxyRig, expected: Readonly<Record<string, number>>): Promise<void> {
  const { value } = await scrape(rig);
  const found = Object.fromEntries(Object.keys(expected).map((series) => [series, value(series)]));
  assert.deepEqual(found, expected);
}

/** An INVITE that was sent on: what the callee got. */
async function invited(): Promise<{ readonly rig: ProxyRig; readonly invite: string }> {
  const rig = await proxyRig(relayAll);
  await rig.receive(request(), CALLER);
  return { rig, invite: rig.take()[1]?.text ?? '' };
}

test('figures of tm: a call that is answered', async () => {
  const { rig, invite } = await invited();
  await assertFigures(rig, {
    'kamaiki_requests_total{method="INVITE"}': 1,
    kamaiki_tm_unanswered: 1,
    'kamaiki_tm_transactions{kind="server"}': 1,
    'kamaiki_tm_transactions{kind="client"}': 1,
  });
  await rig.receive(response(invite, 180), CALLEE);
  await rig.receive(response(invite, 200), CALLEE);
  await assertFigures(rig, {
    'kamaiki_responses_total{class="1xx"}': 1,
    'kamaiki_responses_total{class="2xx"}': 1,
    'kamaiki_tm_transactions_total{kind="invite"}': 1,
    'kamaiki_tm_transactions_total{kind="other"}': 0,
    'kamaiki_tm_final_replies_total{class="2xx"}': 1,
    kamaiki_tm_local_replies_total: 0,
    kamaiki_tm_unanswered: 0,
    kamaiki_stray_responses_total: 0,
  });
});

test('figures of tm: retransmissions, those absorbed and those sent', async () => {
  const { rig, invite } = await invited();
  await rig.receive(request(), CALLER);
  await rig.receive(request(), CALLER);
  await rig.advance(500); // timer A
  await rig.receive(response(invite, 486), CALLEE);
  await rig.advance(500); // timer G
  await assertFigures(rig, {
    kamaiki_tm_retransmissions_absorbed_total: 2,
    'kamaiki_tm_retransmissions_sent_total{kind="request"}': 1,
    // 100 for each retransmission of the INVITE, then the 486
    'kamaiki_tm_retransmissions_sent_total{kind="reply"}': 3,
    'kamaiki_tm_final_replies_total{class="4xx"}': 1,
  });
});

test('figures of tm: a callee that never answers is a timeout, and its 408 comes from the proxy', async () => {
  const { rig } = await invited();
  await rig.advance(33_000);
  await assertFigures(rig, {
    kamaiki_tm_timeouts_total: 1,
    kamaiki_tm_local_replies_total: 1,
    'kamaiki_tm_final_replies_total{class="4xx"}': 1,
  });
  await rig.advance(40_000);
  await assertFigures(rig, {
    kamaiki_tm_unacknowledged_total: 1,
    'kamaiki_tm_transactions{kind="server"}': 0,
  });
});

test('figures of tm: a callee that rings for too long is one timeout, by timer C', async () => {
  const { rig, invite } = await invited();
  await rig.receive(response(invite, 180), CALLEE);
  await rig.advance(400_000);
  await assertFigures(rig, { kamaiki_tm_timeouts_total: 1, kamaiki_tm_canceled_total: 0 });
});

test('figures of tm: a shorter fr_timer is one timeout, although timer B runs on', async () => {
  const rig = await proxyRig(relayAll, { modules: { tm: { fr_timer: 5_000 } } });
  await rig.receive(request(), CALLER);
  await rig.advance(60_000);
  await assertFigures(rig, { kamaiki_tm_timeouts_total: 1 });
});

test('figures of tm: a call that its caller cancels, however often the CANCEL comes', async () => {
  const { rig, invite } = await invited();
  await rig.receive(response(invite, 180), CALLEE);
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  await assertFigures(rig, {
    kamaiki_tm_canceled_total: 1,
    'kamaiki_tm_transactions{kind="cancel"}': 1,
    'kamaiki_requests_total{method="CANCEL"}': 2,
  });
});

test('figures of the proxy: methods that senders make up are one series', async () => {
  const rig = await proxyRig(relayAll);
  for (const method of ['FOO', 'BAR', 'invite', 'constructor'])
    await rig.receive(request({ method, branch: `z9hG4bK${method}` }), CALLER);
  const { metrics, value } = await scrape(rig);
  assert.equal(value('kamaiki_requests_total{method="other"}'), 4);
  assert.equal(metrics.get('kamaiki_requests_total')?.values.size, 15);
});

test('figures of the proxy: malformed messages and stray responses', async () => {
  const { rig, invite } = await invited();
  await rig.receive('no SIP\n\n', CALLER);
  await rig.receive(response(invite.replaceAll('z9hG4bK', 'z9hG4bKother'), 200), CALLEE);
  await assertFigures(rig, { kamaiki_malformed_total: 1, kamaiki_stray_responses_total: 1 });
});

test('figures of the proxy: handlers that wait, messages behind them, and requests refused', async () => {
  const waiting = defineRoutes({
    uses: ['sl'],
    request: () => new Promise<void>(() => {}),
  });
  const rig = await proxyRig(waiting, { modules: { sl: {} }, limits: { handlers: 2 } });
  for (const cseq of [1, 2, 3])
    await rig.receive(request({ method: 'INFO', cseq, branch: `z9hG4bK${cseq}`, toTag: 'x' }), CALLER);
  await assertFigures(rig, {
    kamaiki_handlers_running: 1,
    kamaiki_messages_waiting: 1,
    kamaiki_refused_total: 1,
  });
});

test('figures of the proxy: look-ups of names by how they ended', async () => {
  const named = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      await ksr.tm.t_relay();
    },
  });
  const rig = await proxyRig(named, {
    lookup: (_host, _family, done) => setImmediate(() => done(null, '10.0.0.3')),
  });
  const ask = (n: number) =>
    rig.receive(request({ uri: 'sip:bob@callee.example', branch: `z9hG4bK${n}`, callId: `${n}` }), CALLER);
  await ask(1);
  await ask(2);
  await assertFigures(rig, {
    'kamaiki_dns_lookups_total{result="asked"}': 1,
    'kamaiki_dns_lookups_total{result="cached"}': 1,
    'kamaiki_dns_lookups_total{result="shared"}': 0,
    'kamaiki_dns_lookups_total{result="refused"}': 0,
  });
});
