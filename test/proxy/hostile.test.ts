import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { defineRoutes } from '../../core/index.ts';
import { CALLEE, CALLER, request, response } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';

/** Longer than any transaction lives, ms. */
const LONG_MS = 600_000;

const routes = defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils', 'xlog'],
  async request({ msg, ksr, pv }) {
    ksr.tm.t_on_reply('seen');
    ksr.tm.t_on_failure('over');
    await ksr.xlog.xlog('L_DBG', '$rm $ru $fu $tu $ci $ct $ua $hdr(Contact) $rb');
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');
    if (msg.method === 'OPTIONS' && pv.$rU.get() === null) return ksr.sl.sl_send_reply(200, 'OK');
    ksr.rr.loose_route();
    if (!ksr.siputils.has_totag()) ksr.rr.record_route();
    return ksr.tm.t_relay();
  },
  onreply: { seen: ({ ksr }) => ksr.xlog.xlog('L_DBG', '$rs $rr $tt $cs') },
  failure: { over: ({ ksr }) => ksr.xlog.xlog('L_DBG', '$rs $ru') },
});

const INVITE = request({
  headers: `Route: <sip:10.0.0.1;lr>, <sip:10.0.0.7;lr>
Record-Route: <sip:10.0.0.6;lr>
Contact: "Alice" <sip:alice@10.0.0.2:5062;transport=udp>;q=0.5
User-Agent: test
Content-Type: application/sdp
`,
});

/** Pieces that parsers stumble over. */
const PIECE = fc.oneof(
  fc.constantFrom(
    '\r\n',
    '\r',
    ' ',
    '\t',
    ',',
    ';',
    '"',
    '<',
    '>',
    '@',
    ':',
    '[',
    ']',
    '%',
    '=',
    '\0',
    '\xff',
    '*',
  ),
  fc.constantFrom(
    'sip:',
    ';lr',
    ';branch=z9hG4bK',
    ';rport',
    ';tag=',
    ';maddr=255.255.255.255',
    '2147483648',
  ),
  fc.constantFrom(
    '\r\n ',
    '\r\nRoute: ',
    '\r\nVia: ',
    '\r\nContent-Length: 9',
    '$ci',
    '%00',
    '9'.repeat(400),
  ),
);
/** Takes some chars out at a place and puts a piece there. */
const CHANGE = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.nat(12),
  piece: PIECE,
});

function mutated(text: string, changes: readonly { at: number; removed: number; piece: string }[]): string {
  let result = text;
  for (const { at, removed, piece } of changes) {
    const place = Math.floor(at * result.length);
    result = result.slice(0, place) + piece + result.slice(place + removed);
  }
  return result;
}

test('hostile: mutations of an INVITE, and of responses to it, throw nothing, and OPTIONS is answered afterwards', async () => {
  const rig = await proxyRig(routes);
  await rig.receive(INVITE, CALLER);
  const sent = rig.take().find(({ text }) => text.startsWith('INVITE'))!.text;
  const messages = fc.constantFrom(INVITE, INVITE, response(sent, 180), response(sent, 486));
  await fc.assert(
    fc.asyncProperty(messages, fc.array(CHANGE, { minLength: 1, maxLength: 4 }), async (text, changes) => {
      await rig.receive(mutated(text, changes), text === INVITE ? CALLER : CALLEE);
      rig.take();
    }),
    { numRuns: 2_000 },
  );
  assert.deepEqual(rig.lines('error'), []);
  await rig.receive(request({ method: 'OPTIONS', uri: 'sip:10.0.0.1', branch: 'z9hG4bKafter' }), CALLER);
  assert.deepEqual(rig.starts(), ['SIP/2.0 200 OK -> 10.0.0.2:5060']);
  await rig.advance(LONG_MS);
  await rig.advance(LONG_MS);
  assert.equal(rig.clock.pending, 0, 'nothing is left of any of them');
});
