import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import { answers, answersOf, CELL, DESK, HOME, requestsBy, sentTo } from '../modules/tm/forks.ts';
import { CALLER, request } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';
import { linesOf } from './relaying.ts';

/** Follows the best contact of a redirect, once. */
const recursing = defineRoutes({
  uses: ['tm', 'uac_redirect'],
  async request({ ksr }) {
    ksr.tm.t_on_failure('redirected');
    await ksr.tm.t_relay();
  },
  failure: {
    async redirected({ ksr }) {
      if (ksr.uac_redirect.get_redirects(1)) await ksr.tm.t_relay();
    },
  },
});

test('checklist 094: with recursion the contact that was tried is not in the 3xx that goes on', async () => {
  const rig = await proxyRig(recursing, { modules: { tm: {}, uac_redirect: {} } });
  await rig.receive(request(), CALLER);
  await answers(rig, requestsBy(rig.take()).get(DESK), {
    status: 302,
    host: DESK,
    headers: `Contact: <sip:bob@${CELL}>;q=0.9, <sip:bob@${HOME}>;q=0.8\n`,
  });
  const sent = rig.take();
  assert.deepEqual(answersOf(sent), []);
  assert.deepEqual(sentTo(sent), [`ACK ${DESK}`, `INVITE ${CELL}`]);
  await answers(rig, sent.at(-1)?.text, { status: 486, host: CELL });
  const [answer] = rig.take().filter(({ to }) => to === '10.0.0.2:5060');
  assert.match(answer!.text, /^SIP\/2\.0 302 /);
  assert.deepEqual(linesOf(answer!.text, 'Contact'), [`Contact: <sip:bob@${HOME}>;q=0.8`]);
});
