import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { CALLEE, CALLER, request, response } from '../tm/messages.ts';

const MODULES = { modules: { pv: {}, sl: {}, tm: {}, corex: {} } };

async function relayed(routes: unknown) {
  const rig = await proxyRig(routes, MODULES);
  await rig.receive(request(), CALLER);
  const invite = rig.take().find(({ text }) => text.startsWith('INVITE'))?.text ?? '';
  return { rig, invite };
}

test('drop: in an onreply handler a provisional response goes no further, a final one does', async () => {
  const { rig, invite } = await relayed(
    defineRoutes({
      uses: ['tm', 'corex'],
      async request({ ksr }) {
        ksr.tm.t_on_reply('quiet');
        await ksr.tm.t_relay();
      },
      onreply: { quiet: ({ ksr }) => ksr.corex.drop() },
    }),
  );
  await rig.receive(response(invite, 183), CALLEE);
  assert.deepEqual(rig.starts(), []);
  await rig.receive(response(invite, 200), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 Any -> 10.0.0.2:5060']);
});

test('drop: in the reply handler no response goes further', async () => {
  const { rig, invite } = await relayed(
    defineRoutes({
      uses: ['tm', 'corex'],
      request: ({ ksr }) => ksr.tm.t_relay(),
      reply: ({ ksr }) => ksr.corex.drop(),
    }),
  );
  await rig.receive(response(invite, 180), CALLEE);
  await rig.receive(response(invite, 200), CALLEE);
  assert.deepEqual(rig.starts(), []);
});

test('drop: in a branch handler the branch is not sent; a request with no other is answered', async () => {
  const { rig, invite } = await relayed(
    defineRoutes({
      uses: ['tm', 'corex'],
      async request({ ksr }) {
        ksr.tm.t_on_branch('none');
        await ksr.tm.t_relay();
      },
      branch: { none: ({ ksr }) => ksr.corex.drop() },
    }),
  );
  assert.equal(invite, '');
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 500 Server Internal Error -> 10.0.0.2:5060']);
});
