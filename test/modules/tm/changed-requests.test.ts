import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { answers, DESK, forking } from './forks.ts';
import { CALLER, header, request } from './messages.ts';

/** Hides the caller: its From stands behind Max-Forwards, where forwarding puts Max-Breadth. */
const anonymous = defineRoutes({
  uses: ['tm', 'textops'],
  async request({ msg, ksr }) {
    if (msg.method === 'INVITE')
      await ksr.textops.subst('/^From:.*(;tag=.*)$/From: <sip:anonymous@anonymous.invalid>\\1/');
    await ksr.tm.t_relay();
  },
});

const ANONYMOUS = '<sip:anonymous@anonymous.invalid>;tag=alice';

test('a header that subst has changed and the one that is put in front of it are two lines', async () => {
  const { requests } = await forking(request(), anonymous);
  const invite = requests.get(DESK) ?? '';
  assert.equal(header(invite, 'From'), ANONYMOUS);
  assert.equal(header(invite, 'Max-Breadth'), '60');
  assert.ok(invite.indexOf('\r\n\r\n') > invite.indexOf('Content-Length'));
});

test('CANCEL and the ACK of a failure have From, To and Call-ID as the INVITE was sent (9.1, 17.1.1.3)', async () => {
  const routes = defineRoutes({
    uses: ['tm', 'textops'],
    async request({ msg, ksr }) {
      if (msg.method === 'INVITE') {
        ksr.textops.remove_hf('From');
        await ksr.textops.append_hf(`From: ${ANONYMOUS}`);
        await ksr.textops.subst('/^To: .*$/To: <sip:carol@10.0.0.3>/');
        await ksr.textops.subst('/^Call-ID: /Call-ID: hidden-/');
      }
      await ksr.tm.t_relay();
    },
  });
  const { rig, requests } = await forking(request(), routes);
  const invite = requests.get(DESK) ?? '';
  await answers(rig, invite, { status: 180, host: DESK });
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  await answers(rig, invite, { status: 487, host: DESK });
  const sent = rig.take().filter(({ text }) => /^(?:CANCEL|ACK)/.test(text));
  assert.deepEqual(
    sent.map(({ text }) => ['From', 'To', 'Call-ID', 'CSeq'].map((name) => header(text, name))),
    [
      [ANONYMOUS, '<sip:carol@10.0.0.3>', 'hidden-call-1', '1 CANCEL'],
      [ANONYMOUS, '<sip:carol@10.0.0.3>;tag=at-10.0.0.3', 'hidden-call-1', '1 ACK'],
    ],
  );
});

test('what a failure handler changes is for the branches that it makes, not for those of the next one', async () => {
  const routes = defineRoutes({
    uses: ['tm', 'textops', 'pv'],
    async request({ ksr, pv }) {
      await ksr.textops.append_hf('X-Request: $rU');
      pv.$rU.set('carol');
      ksr.tm.t_on_branch('branch');
      ksr.tm.t_on_failure('again');
      await ksr.tm.t_relay();
    },
    branch: {
      async branch({ ksr }) {
        await ksr.textops.append_hf('X-Branch: $T_branch_idx');
      },
    },
    failure: {
      async again({ ksr, pv }) {
        await ksr.textops.append_hf('X-Try: $rU');
        pv.$rU.set(`00${pv.$rU.get()}`);
        ksr.tm.t_on_failure('again');
        await ksr.tm.t_relay();
      },
    },
  });
  const { rig, requests } = await forking(request(), routes);
  let invite = requests.get(DESK) ?? '';
  for (const index of [1, 2]) {
    await answers(rig, invite, { status: 486, host: DESK });
    invite = rig.take().find(({ text }) => text.startsWith('INVITE'))?.text ?? '';
    assert.match(invite, /^INVITE sip:00carol@/);
    assert.deepEqual(invite.match(/^X-.*$/gm), ['X-Request: bob', 'X-Try: carol', `X-Branch: ${index}`]);
  }
});
