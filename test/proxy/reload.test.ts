import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineModule, defineRoutes, ProxyError, ProxyErrors } from '../../core/index.ts';
import { Avps } from '../../core/registry/scope.ts';
import { gate } from '../gate.ts';
import { CALLEE, CALLER, request, response } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';

const second = () => request({ branch: 'z9hG4bKsecond', callId: 'call-2' });
const refuseAll = defineRoutes({ uses: ['sl'], request: ({ ksr }) => ksr.sl.sl_send_reply(403, 'Not Now') });

test('reload: new requests meet the new routes; a handler at work ends on the old ones', async () => {
  const { opened, open } = gate();
  const events: string[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        await opened;
        events.push('the old handler went on');
        await ksr.tm.t_relay();
      },
    }),
  );
  await rig.receive(request(), CALLER);
  rig.proxy.reload(refuseAll, 'new.ts');
  await rig.receive(second(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 403 Not Now -> 10.0.0.2:5060']);
  open();
  await rig.advance(0);
  assert.deepEqual(events, ['the old handler went on']);
  assert.equal(rig.starts().at(-1), 'INVITE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060');
});

test('reload: routes that are wrong change nothing', async () => {
  const rig = await proxyRig(refuseAll);
  assert.throws(
    () => rig.proxy.reload({ uses: ['none'], request: 1 }, 'new.ts'),
    (error) => {
      assert.ok(error instanceof ProxyErrors);
      assert.deepEqual(
        error.errors.map(({ code }) => code),
        ['ERR_ROUTE_USES', 'ERR_ROUTE_SHAPE'],
      );
      return true;
    },
  );
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 403 Not Now -> 10.0.0.2:5060']);
});

test('reload: a handler armed before that the new routes lack: the responses go on, and the log says so', async () => {
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        ksr.tm.t_on_reply('seen');
        ksr.tm.t_on_failure('over');
        await ksr.tm.t_relay();
      },
      onreply: { seen() {} },
      failure: { over() {} },
    }),
  );
  await rig.receive(request(), CALLER);
  const invite = rig.take()[1]!.text;
  rig.proxy.reload(refuseAll, 'new.ts');
  await rig.receive(response(invite, 486), CALLEE);
  assert.equal(rig.starts().at(-1), 'SIP/2.0 486 Any -> 10.0.0.2:5060');
  assert.deepEqual(rig.lines('error'), [
    'there is no onreply seen handler: was it renamed or left out when the routes were loaded anew?',
    'there is no failure over handler: was it renamed or left out when the routes were loaded anew?',
  ]);
});

test('two modules that keep transactions are ERR_TRANSACTION_LAYER', async () => {
  const again = defineModule({
    name: 'again',
    doc: 'Keeps transactions as well.',
    depends: [],
    params: {},
    init({ core }) {
      core.setTransactionLayer({
        request: () => ({ transaction: null, avps: new Avps() }),
        ended() {},
        response: () => false,
        active: 0,
        hasBegun: () => false,
        giveUp: () => 0,
        reply: () => false,
      });
      return {};
    },
    pseudoVariables: {},
    functions: {},
  });
  await assert.rejects(
    proxyRig(refuseAll, { modules: { sl: {}, tm: {}, again: {} }, extra: [again] }),
    (error) => {
      assert.ok(error instanceof ProxyErrors);
      assert.deepEqual(
        error.errors.map(({ cause }) => cause instanceof ProxyError && cause.code),
        ['ERR_TRANSACTION_LAYER'],
      );
      return true;
    },
  );
});
