import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { CALLEE, CALLER, header, request, response } from './messages.ts';

test('t_reply: answers with state, once', async () => {
  const results: boolean[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      request({ ksr }) {
        results.push(
          ksr.tm.t_reply(183, 'Session Progress'),
          ksr.tm.t_reply(486, 'Busy Here'),
          ksr.tm.t_reply(500, 'Late'),
        );
      },
    }),
  );
  await rig.receive(request(), CALLER);
  const sent = rig.take();
  assert.deepEqual(results, [true, true, false]);
  assert.deepEqual(
    sent.map(({ text }) => text.slice(0, 11)),
    ['SIP/2.0 183', 'SIP/2.0 486'],
  );
  assert.equal(header(sent[0]?.text ?? '', 'To'), header(sent[1]?.text ?? '', 'To'));
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 486 Busy Here -> 10.0.0.2:5060']);
});

test("failure: runs once with the callee's answer in hand and may reply otherwise", async () => {
  const seen: (number | null)[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm', 'pv'],
      async request({ ksr }) {
        ksr.tm.t_on_failure('busy');
        await ksr.tm.t_relay();
      },
      failure: {
        busy({ ksr, pv }) {
          seen.push(pv.$rs.get());
          ksr.tm.t_reply(480, 'Try Later');
        },
      },
    }),
  );
  await rig.receive(request(), CALLER);
  await rig.receive(response(rig.take()[1]?.text ?? '', 486), CALLEE);
  assert.deepEqual(seen, [486]);
  assert.deepEqual(rig.starts(), [
    'ACK sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060',
    'SIP/2.0 480 Try Later -> 10.0.0.2:5060',
  ]);
});

test('failure: may send the request elsewhere; the answer from there is what the caller gets', async () => {
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm', 'pv'],
      async request({ ksr }) {
        ksr.tm.t_on_failure('voicemail');
        await ksr.tm.t_relay();
      },
      failure: {
        async voicemail({ ksr, pv }) {
          pv.$ru.set('sip:bob@10.0.0.4');
          await ksr.tm.t_relay();
        },
      },
    }),
  );
  await rig.receive(request(), CALLER);
  await rig.receive(response(rig.take()[1]?.text ?? '', 486), CALLEE);
  const second = rig.take().at(-1);
  assert.equal(second?.to, '10.0.0.4:5060');
  await rig.receive(response(second?.text ?? '', 200), { address: '10.0.0.4', port: 5060 });
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 Any -> 10.0.0.2:5060']);
});

test('branch: what its handler changes is in that copy only', async () => {
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm', 'textops', 'pv'],
      async request({ ksr }) {
        ksr.tm.t_on_branch('mark');
        ksr.tm.t_on_failure('again');
        await ksr.tm.t_relay();
      },
      branch: { mark: ({ ksr, pv }) => ksr.textops.append_hf(`X-To: ${pv.$rd.get()}`) },
      failure: {
        async again({ ksr, pv }) {
          pv.$ru.set('sip:bob@10.0.0.4');
          await ksr.tm.t_relay();
        },
      },
    }),
  );
  await rig.receive(request(), CALLER);
  const first = rig.take()[1]?.text ?? '';
  await rig.receive(response(first, 404), CALLEE);
  const second = rig.take().at(-1)?.text ?? '';
  assert.equal(header(first, 'X-To'), '10.0.0.3');
  assert.equal(second.match(/X-To/g)?.length, 1);
  assert.equal(header(second, 'X-To'), '10.0.0.4');
});

test('AVPs live as long as the transaction: set in the request handler, read in onreply', async () => {
  const seen: unknown[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm', 'pv'],
      async request({ ksr, pv }) {
        pv.$avp('customer').set('acme');
        ksr.tm.t_on_reply('read');
        await ksr.tm.t_relay();
      },
      onreply: { read: ({ pv }) => seen.push(pv.$avp('customer').get()) },
    }),
  );
  await rig.receive(request(), CALLER);
  await rig.receive(response(rig.take()[1]?.text ?? '', 180), CALLEE);
  assert.deepEqual(seen, ['acme']);
});
