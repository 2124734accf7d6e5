import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { gate } from '../../gate.ts';
import { CALLEE, CALLER, request, response } from './messages.ts';

test('a retransmission that comes while the handler waits is absorbed', async () => {
  const { opened, open } = gate();
  let runs = 0;
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        runs += 1;
        await opened;
        await ksr.tm.t_relay();
      },
    }),
  );
  await rig.receive(request(), CALLER);
  await rig.receive(request(), CALLER);
  assert.equal(runs, 1);
  assert.deepEqual(rig.starts(), []);
  open();
  await rig.advance(0);
  assert.equal(rig.starts().filter((line) => line.startsWith('INVITE')).length, 1);
});

test('an INVITE whose handler takes longer than 200 ms gets 100 meanwhile', async () => {
  const { opened, open } = gate();
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        await opened;
        await ksr.tm.t_relay();
      },
    }),
  );
  await rig.receive(request(), CALLER);
  await rig.advance(199);
  assert.deepEqual(rig.starts(), []);
  await rig.advance(1);
  assert.deepEqual(rig.starts(), ['SIP/2.0 100 Trying -> 10.0.0.2:5060']);
  open();
  await rig.advance(0);
  assert.deepEqual(rig.starts(), ['INVITE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
});

test('auto_inv_100: false sends no 100 where something else goes out within 200 ms', async () => {
  const rig = await proxyRig(defineRoutes({ uses: ['tm'], request: ({ ksr }) => ksr.tm.t_relay() }), {
    modules: { sl: {}, tm: { auto_inv_100: false } },
  });
  await rig.receive(request(), CALLER);
  const [invite] = rig.take();
  await rig.receive(response(invite?.text ?? '', 180), CALLEE);
  await rig.advance(300);
  assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:5060']);
});

test('onreply: responses keep their order while a handler waits: no 200 overtakes its 180', async () => {
  const { opened, open } = gate();
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        ksr.tm.t_on_reply('slow');
        await ksr.tm.t_relay();
      },
      onreply: {
        async slow({ msg }) {
          if (msg.status === 180) await opened;
        },
      },
    }),
  );
  await rig.receive(request(), CALLER);
  const invite = rig.take()[1]?.text ?? '';
  await rig.receive(response(invite, 180), CALLEE);
  await rig.receive(response(invite, 200), CALLEE);
  assert.deepEqual(rig.starts(), []);
  open();
  await rig.advance(0);
  assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:5060', 'SIP/2.0 200 Any -> 10.0.0.2:5060']);
});

test('onreply: waits for the end of the request handler', async () => {
  const { opened, open } = gate();
  const events: string[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        ksr.tm.t_on_reply('seen');
        await ksr.tm.t_relay();
        await opened;
        events.push('request handler ended');
      },
      onreply: { seen: ({ msg }) => events.push(`onreply ${msg.status}`) },
    }),
  );
  await rig.receive(request(), CALLER);
  await rig.receive(response(rig.take()[1]?.text ?? '', 180), CALLEE);
  assert.deepEqual(events, []);
  open();
  await rig.advance(0);
  assert.deepEqual(events, ['request handler ended', 'onreply 180']);
  assert.deepEqual(rig.starts(), ['SIP/2.0 180 Any -> 10.0.0.2:5060']);
});

test('requests of one dialog from one side are handled in order; another call does not wait', async () => {
  const { opened, open } = gate();
  const order: string[] = [];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ msg, ksr }) {
        if (msg.callId === 'call-1' && msg.method === 'ACK') await opened;
        order.push(`${msg.method} ${msg.callId}`);
        await ksr.tm.t_relay();
      },
    }),
  );
  await rig.receive(request({ method: 'ACK', branch: 'z9hG4bKa', toTag: 'bob' }), CALLER);
  await rig.receive(request({ method: 'BYE', branch: 'z9hG4bKb', toTag: 'bob', cseq: 2 }), CALLER);
  await rig.receive(request({ method: 'BYE', branch: 'z9hG4bKc', toTag: 'bob', callId: 'call-2' }), CALLER);
  assert.deepEqual(order, ['BYE call-2']);
  open();
  await rig.advance(0);
  assert.deepEqual(order, ['BYE call-2', 'ACK call-1', 'BYE call-1']);
});

test('a handler that throws: 500 to the caller, the route and its place in the log, the next request unharmed', async () => {
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ msg, ksr }) {
        if (msg.callId === 'call-1') throw new Error('no such customer');
        await ksr.tm.t_relay();
      },
    }),
  );
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 500 Server Internal Error -> 10.0.0.2:5060']);
  const line = rig.log.lines.find(({ level }) => level === 'error');
  assert.match(JSON.stringify(line), /no such customer/);
  await rig.receive(request({ branch: 'z9hG4bKother', callId: 'call-2' }), CALLER);
  assert.equal(rig.starts().at(-1), 'INVITE sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060');
});

test('a handler that neither replies nor relays: a warning, and the transaction is gone', async () => {
  const rig = await proxyRig(defineRoutes({ uses: ['tm'], request() {} }));
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.lines('warn'), ['the request handler neither replied nor relayed']);
  assert.equal(rig.clock.pending, 0);
});

test('a handler over its time limit: 500, and what it does afterwards sends nothing', async () => {
  const { opened, open } = gate();
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ ksr }) {
        await opened;
        await ksr.tm.t_relay();
      },
    }),
    { limits: { handlerTimeoutMs: 2_000 } },
  );
  await rig.receive(request(), CALLER);
  await rig.advance(2_000);
  assert.deepEqual(rig.starts().slice(-1), ['SIP/2.0 500 Server Internal Error -> 10.0.0.2:5060']);
  open();
  await rig.advance(0);
  assert.deepEqual(rig.starts(), []);
});

test('t_reply: a provisional reply keeps the transaction when the handler ends: what it has begun may answer, a CANCEL ends it', async () => {
  const pending: (() => boolean)[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ msg, ksr }) {
      if (msg.method === 'CANCEL') await ksr.tm.t_relay();
      else if (ksr.tm.t_reply(180, 'Ringing')) pending.push(() => ksr.tm.t_reply(200, 'OK'));
    },
  });
  const rig = await proxyRig(routes);
  await rig.receive(request(), CALLER);
  await rig.receive(request(), CALLER);
  assert.deepEqual(rig.starts(), Array<string>(2).fill('SIP/2.0 180 Ringing -> 10.0.0.2:5060'));
  assert.equal(pending.length, 1, 'the retransmission was absorbed');
  assert.equal(pending[0]?.(), true);
  assert.equal(pending[0]?.(), false);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 OK -> 10.0.0.2:5060']);
  await rig.receive(request({ branch: 'z9hG4bKsecond', callId: 'call-2' }), CALLER);
  await rig.receive(request({ method: 'CANCEL', branch: 'z9hG4bKsecond', callId: 'call-2' }), CALLER);
  assert.deepEqual(rig.starts(), [
    'SIP/2.0 180 Ringing -> 10.0.0.2:5060',
    'SIP/2.0 200 canceling -> 10.0.0.2:5060',
    'SIP/2.0 487 Request Terminated -> 10.0.0.2:5060',
  ]);
  assert.equal(pending[1]?.(), false);
  await rig.receive(request({ branch: 'z9hG4bKthird', callId: 'call-3' }), CALLER);
  rig.take();
  await rig.advance(185_000);
  assert.ok(rig.starts().includes('SIP/2.0 408 Request Timeout -> 10.0.0.2:5060'));
});

test('a request that was given up when its handler had ended: nothing is sent for it, and a warning says so', async () => {
  const late: (() => unknown)[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    request({ ksr }) {
      late.push(
        () => ksr.tm.t_relay(),
        () => ksr.tm.t_reply(200, 'OK'),
      );
    },
  });
  const rig = await proxyRig(routes);
  await rig.receive(request(), CALLER);
  assert.deepEqual(await Promise.all(late.map((call) => call())), [false, false]);
  assert.deepEqual(rig.starts(), []);
  assert.deepEqual(rig.lines('warn').slice(1), [
    'the request was given up when its handler had ended: nothing is sent for it',
    'the request was given up when its handler had ended: nothing is sent for it',
  ]);
});

test('sl_reply_error behind a t_relay that has answered: one answer', async () => {
  const sent: boolean[] = [];
  const routes = defineRoutes({
    uses: ['tm', 'sl'],
    async request({ ksr }) {
      if (!(await ksr.tm.t_relay())) sent.push(ksr.sl.sl_reply_error());
    },
  });
  const rig = await proxyRig(routes);
  await rig.receive(request({ method: 'OPTIONS', uri: 'sip:bob@unknown.invalid' }), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 478 Unresolvable destination -> 10.0.0.2:5060']);
  assert.deepEqual(sent, [false]);
});
