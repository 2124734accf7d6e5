import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import { gate } from '../gate.ts';
import { CALLER, header, request } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';

const maxForwards0 = request({ method: 'MESSAGE' }).replace('Max-Forwards: 70', 'Max-Forwards: 0');
const message = (uri: string, headers = '') => request({ method: 'MESSAGE', uri, headers });

const FAILURES: readonly (readonly [string, string, string])[] = [
  ['a name that has no address', message('sip:bob@nowhere.example.org'), '478 Unresolvable destination'],
  ['a transport without a socket', message('sip:bob@10.0.0.3;transport=tcp'), '478 Unresolvable destination'],
  ['an address of the other family', message('sip:bob@[2001:db8::3]'), '478 Unresolvable destination'],
  ['a tel URI', message('tel:+15551234'), '416 Unsupported URI Scheme'],
  [
    'a Route of another scheme',
    message('sip:10.0.0.3', 'Route: <http://a;lr>\n'),
    '416 Unsupported URI Scheme',
  ],
  ['a malformed Route', message('sip:10.0.0.3', 'Route: <sip:a\n'), '400 Bad Request'],
  ['no hops left', maxForwards0, '483 Too Many Hops'],
];
for (const [what, text, status] of FAILURES) {
  test(`t_relay: ${what}: answered ${status}, with state, and the handler is told`, async () => {
    const results: boolean[] = [];
    const rig = await proxyRig(
      defineRoutes({
        uses: ['tm'],
        async request({ ksr }) {
          results.push(await ksr.tm.t_relay());
        },
      }),
    );
    await rig.receive(text, CALLER);
    const [reply, ...more] = rig.take();
    assert.deepEqual(more, []);
    assert.ok(reply!.text.startsWith(`SIP/2.0 ${status}\r\n`), reply!.text);
    await rig.receive(text, CALLER);
    assert.equal(rig.take()[0]?.text, reply!.text);
    assert.deepEqual(results, [false]);
    await rig.advance(32_000);
    assert.equal(rig.clock.pending, 0);
  });
}

test('t_relay: the 483 of an INVITE is sent again until it is acknowledged', async () => {
  const rig = await proxyRig(defineRoutes({ uses: ['tm'], request: ({ ksr }) => ksr.tm.t_relay() }));
  await rig.receive(request().replace('Max-Forwards: 70', 'Max-Forwards: 0'), CALLER);
  const final = rig.take().at(-1)!;
  await rig.advance(600);
  assert.equal(rig.take()[0]?.text, final.text);
  await rig.receive(request({ method: 'ACK', toTag: header(final.text, 'To').split('tag=')[1]! }), CALLER);
  await rig.advance(40_000);
  assert.deepEqual(rig.take(), []);
});

test('t_relay: a CANCEL that comes while the next hop is looked up ends the INVITE with 487, and nothing is sent on', async () => {
  let found!: (error: Error | null, address: string) => void;
  const rig = await proxyRig(defineRoutes({ uses: ['tm'], request: ({ ksr }) => ksr.tm.t_relay() }), {
    lookup(_host, _family, done) {
      found = done;
    },
  });
  const uri = 'sip:bob@slow.example.org';
  await rig.receive(request({ uri }), CALLER);
  await rig.receive(request({ method: 'CANCEL', uri }), CALLER);
  rig.take();
  found(null, '10.0.0.3');
  await rig.advance(0);
  assert.deepEqual(rig.starts(), ['SIP/2.0 487 Request Terminated -> 10.0.0.2:5060']);
});

test('t_relay: the same when the handler ends before it does, and a branch handler waits', async () => {
  const [handler, branch] = [gate(), gate()];
  const rig = await proxyRig(
    defineRoutes({
      uses: ['tm'],
      async request({ msg, ksr }) {
        if (msg.method === 'INVITE') ksr.tm.t_on_branch('slow');
        void ksr.tm.t_relay();
        if (msg.method === 'INVITE') await handler.opened;
      },
      branch: { slow: () => branch.opened },
    }),
  );
  await rig.receive(request(), CALLER);
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  handler.open();
  await rig.advance(0);
  rig.take();
  branch.open();
  await rig.advance(0);
  assert.deepEqual(rig.starts(), ['SIP/2.0 487 Request Terminated -> 10.0.0.2:5060']);
});

for (const uri of ['sip:bob@nowhere.example.org', 'sip:bob@10.0.0.3;transport=tcp']) {
  test(`t_relay: a CANCEL that means no INVITE here and cannot go on, to ${uri}, gets 481`, async () => {
    const rig = await proxyRig(defineRoutes({ uses: ['tm'], request: ({ ksr }) => ksr.tm.t_relay() }));
    await rig.receive(request({ method: 'CANCEL', uri }), CALLER);
    assert.equal(rig.starts().length, 1);
    await rig.receive(request({ method: 'CANCEL', uri }), CALLER);
    assert.match(rig.starts().join(), /^SIP\/2\.0 481 /);
    await rig.advance(32_000);
    assert.equal(rig.clock.pending, 0);
  });
}
