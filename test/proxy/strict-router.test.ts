/** Strict routers as next hop of requests that go to several places (RFC 3261 16.6 step 6). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import { linesOf } from '../modules/fake-core.ts';
import { CALLER, request, response } from '../modules/tm/messages.ts';
import { proxyRig, type Sent } from '../proxy-rig.ts';

const HEADERS = 'Route: <sip:10.0.0.1;lr>, <sip:10.0.0.7>, <sip:10.0.0.8;lr>\n';
const OTHER = 'sip:carol@10.0.0.4';

/** Start line and Routes of an INVITE as it went out. */
function shown({ text, to }: Sent): [string, string[], string] {
  return [text.split(' SIP', 1)[0] ?? '', linesOf(text, 'route'), to];
}
/** What goes to the strict router for a Request-URI. */
function strict(uri: string): [string, string[], string] {
  return ['INVITE sip:10.0.0.7', ['Route: <sip:10.0.0.8;lr>', `Route: <${uri}>`], '10.0.0.7:5060'];
}
const invites = (sent: readonly Sent[]): Sent[] => sent.filter(({ text }) => text.startsWith('INVITE '));

for (const [what, loose] of [
  ['with loose_route', true],
  ['without it', false],
] as const) {
  test(`strict router: each of two parallel branches is rewritten once, ${what}`, async () => {
    const routes = defineRoutes({
      uses: ['rr', 'tm'],
      request({ ksr }) {
        if (loose) ksr.rr.loose_route();
        ksr.tm.append_branch({ uri: OTHER });
        return ksr.tm.t_relay();
      },
    });
    const rig = await proxyRig(routes);
    await rig.receive(request({ headers: HEADERS }), CALLER);
    assert.deepEqual(invites(rig.take()).map(shown), [strict('sip:bob@10.0.0.3'), strict(OTHER)]);
  });

  test(`strict router: a branch of the failure handler is rewritten by itself, ${what}`, async () => {
    const routes = defineRoutes({
      uses: ['pv', 'rr', 'tm'],
      request({ ksr }) {
        if (loose) ksr.rr.loose_route();
        ksr.tm.t_on_failure('next');
        return ksr.tm.t_relay();
      },
      failure: {
        next({ pv, ksr }) {
          pv.$ru.set(OTHER);
          return ksr.tm.t_relay();
        },
      },
    });
    const rig = await proxyRig(routes);
    await rig.receive(request({ headers: HEADERS }), CALLER);
    const [first] = invites(rig.take());
    assert.deepEqual(shown(first ?? assert.fail()), strict('sip:bob@10.0.0.3'));
    await rig.receive(response(first?.text ?? '', 486), { address: '10.0.0.7', port: 5060 });
    assert.deepEqual(invites(rig.take()).map(shown), [strict(OTHER)]);
  });
}
