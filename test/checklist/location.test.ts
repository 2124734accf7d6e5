/** What concerns the users of a domain: the proxy has no location service, its routes have one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import { CALLEE, CALLER, request, response } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';
import { forwarded, linesOf, sending } from './relaying.ts';

/** Contacts of the users of proxy.example.com. */
const CONTACTS = new Map([
  ['bob', ['sip:bob@10.0.0.3:5070']],
  ['carol', []],
]);

const withLocation = defineRoutes({
  uses: ['pv', 'sl', 'tm', 'siputils'],
  request({ msg, pv, ksr }) {
    if (ksr.siputils.is_myself(msg.uri)) {
      const contacts = CONTACTS.get(pv.$rU.get() ?? '');
      if (contacts === undefined) return ksr.sl.sl_send_reply(404, 'Not Found');
      const [contact] = contacts;
      if (contact === undefined) return ksr.sl.sl_send_reply(480, 'Temporarily Unavailable');
      pv.$ru.set(contact);
    }
    return ksr.tm.t_relay();
  },
});

for (const [number, user, what, start] of [
  ['039', 'nobody', 'an unknown user of our domain gets 404', 'SIP/2.0 404 Not Found -> 10.0.0.2:5060'],
  [
    '040',
    'carol',
    'a user without contacts gets 480',
    'SIP/2.0 480 Temporarily Unavailable -> 10.0.0.2:5060',
  ],
  ['040', 'bob', 'one with a contact gets the call', 'INVITE sip:bob@10.0.0.3:5070 SIP/2.0 -> 10.0.0.3:5070'],
] as const) {
  test(`checklist ${number}: by routes with a table of users (there is no location service), ${what}`, async () => {
    const rig = await proxyRig(withLocation);
    await rig.receive(request({ uri: `sip:${user}@proxy.example.com` }), CALLER);
    assert.equal(rig.starts().at(-1), start);
  });
}

test('checklist 122: a REGISTER for another domain is proxied', async () => {
  const rig = await proxyRig(withLocation);
  await rig.receive(request({ method: 'REGISTER', uri: 'sip:10.0.0.9' }), CALLER);
  assert.deepEqual(rig.starts(), ['REGISTER sip:10.0.0.9 SIP/2.0 -> 10.0.0.9:5060']);
});

const REGISTER = { method: 'REGISTER', uri: 'sip:10.0.0.3' };
const throughEdge = defineRoutes({
  uses: ['tm', 'path'],
  request({ ksr }) {
    ksr.path.add_path();
    return ksr.tm.t_relay();
  },
});

test("checklist 056: a REGISTER without Supported: path goes on with our Path (RFC 3327 5.2 allows it), and the registrar's 420 comes back", async () => {
  const rig = await proxyRig(throughEdge, { modules: { tm: {}, path: {} } });
  await rig.receive(request(REGISTER), CALLER);
  const { text } = forwarded(rig.take());
  assert.deepEqual(linesOf(text, 'Path'), ['Path: <sip:10.0.0.1:5060;lr>']);
  await rig.receive(response(text, 420), CALLEE);
  assert.deepEqual(rig.starts(), ['SIP/2.0 420 Any -> 10.0.0.2:5060']);
});

test('checklist 056: the Path that the registrar echoes in its 200 comes back as it is', async () => {
  const rig = await proxyRig(throughEdge, { modules: { tm: {}, path: {} } });
  await rig.receive(request({ ...REGISTER, headers: 'Supported: path\nPath: <sip:10.0.0.9;lr>\n' }), CALLER);
  const { text } = forwarded(rig.take());
  const paths = linesOf(text, 'Path');
  assert.deepEqual(paths, ['Path: <sip:10.0.0.1:5060;lr>', 'Path: <sip:10.0.0.9;lr>']);
  const ok = response(text, 200).replace('Content-Length', `${paths.join('\n')}\nContent-Length`);
  await rig.receive(ok, CALLEE);
  assert.deepEqual(linesOf(rig.take()[0]!.text, 'Path'), paths);
});

test('checklist 056: routes that want Supported: path ask for it with 421', async () => {
  const routes = defineRoutes({
    uses: ['sl', 'textops'],
    async request({ ksr }) {
      if (ksr.textops.search('^(Supported|k) *:.*\\bpath\\b')) return;
      await ksr.textops.append_to_reply('Require: path');
      ksr.sl.sl_send_reply(421, 'Extension Required');
    },
  });
  const { sent } = await sending(request(REGISTER), routes);
  assert.match(sent[0]!.text, /^SIP\/2\.0 421 Extension Required\r\n/);
  assert.deepEqual(linesOf(sent[0]!.text, 'Require'), ['Require: path']);
});
