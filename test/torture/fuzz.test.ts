import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { defineRoutes } from '../../core/index.ts';
import { checkMessage, parseMessage, SipRequest } from '../../core/sip/message.ts';
import { printRequest, printResponse } from '../../core/sip/print.ts';
import { request, response } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';
import { POINT, RECEIVED } from '../sip/sample.ts';
import { headFault } from './head-fault.ts';
import { type Lines, mutatedMessage } from './mutations.ts';

const CALLER = { address: '10.0.0.2', port: 5060 };
const CALLEE = { address: '10.0.0.3', port: 5060 };
const VIA = 'SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKown';
/** Longer than any transaction lives, ms. */
const LONG_MS = 600_000;

const routes = defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils'],
  request({ pv, ksr }) {
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');
    ksr.rr.loose_route();
    if (ksr.siputils.is_method('INVITE')) ksr.rr.record_route();
    pv.$du.set('sip:10.0.0.3');
    return ksr.tm.t_relay();
  },
});

/** A message as start line, headers and body; as much body as its Content-Length says. */
function linesOf(text: string): Lines {
  const [start = '', ...headers] = text.trimEnd().split(/\r?\n/);
  const body = 'v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\n';
  return {
    start,
    headers: headers.map((line) => (line === 'Content-Length: 0' ? `Content-Length: ${body.length}` : line)),
    body,
  };
}

const REQUESTS: readonly Lines[] = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'REGISTER', 'SUBSCRIBE'].map(
  (method) =>
    linesOf(
      request({
        method,
        headers: `Route: <sip:10.0.0.1;lr>, <sip:10.0.0.7;lr>
Record-Route: <sip:10.0.0.6;lr>
Contact: "Alice" <sip:alice@10.0.0.2:5062;transport=udp>;q=0.5
Supported: timer, 100rel
Content-Type: application/sdp
`,
      }),
    ),
);

/** Parses, checks and prints a message as a proxy that passes it on does; what was printed must be sound, and parse to
 * the same. False for a message that is not passed on. */
function passOn(bytes: Buffer): boolean {
  const result = parseMessage(bytes, RECEIVED);
  if (!result.ok || checkMessage(result.msg) !== null) return false;
  const { msg } = result;
  if (!(msg instanceof SipRequest)) {
    const printed = printResponse(msg, POINT);
    assert.ok(parseMessage(printed, RECEIVED).ok, printed.toString('latin1'));
    return true;
  }
  const { uri, edits } = msg;
  const printed = printRequest(msg, { uri, edits, via: VIA, out: POINT, maxForwards: 69 });
  const again = parseMessage(printed, RECEIVED);
  const text = printed.toString('latin1');
  assert.ok(again.ok && again.msg instanceof SipRequest, text);
  assert.equal(checkMessage(again.msg), null, text);
  assert.equal(headFault(printed), null, text);
  assert.equal(again.msg.maxForwards, 69);
  assert.equal(again.msg.method, msg.method);
  assert.equal(again.msg.originalUri, msg.originalUri);
  assert.equal(again.msg.callId, msg.callId);
  assert.deepEqual(again.msg.body, msg.body);
  const added = msg.maxForwards === null ? 2 : 1;
  assert.equal(again.msg.headerCount, msg.headerCount + added, text);
  return true;
}

test('fuzz: what a mutated message is printed as parses again, as the same message with our Via on top', () => {
  const answer = linesOf(response(request().replaceAll('\n', '\r\n'), 200));
  let passed = 0;
  fc.assert(
    fc.property(mutatedMessage([...REQUESTS, answer]), (text) => {
      if (passOn(Buffer.from(text, 'latin1'))) passed += 1;
    }),
    { numRuns: 30_000 },
  );
  assert.ok(passed > 3_000, `only ${passed} messages were good enough to be passed on`);
});

test('fuzz: a proxy takes mutated messages from both sides without an error, answers OPTIONS and forgets them', async () => {
  const rig = await proxyRig(routes);
  await rig.receive(request(), CALLER);
  const sent = rig.take().find(({ text }) => text.startsWith('INVITE'))?.text ?? '';
  const answers = [180, 200, 302, 486].map((status) => linesOf(response(sent, status)));
  const message = fc.oneof(
    { arbitrary: mutatedMessage(REQUESTS), weight: 2 },
    { arbitrary: mutatedMessage(answers), weight: 1 },
  );
  // With a branch of its own a request is new; with a low number it may meet a transaction that is there.
  const branchNumber = fc.oneof(
    { arbitrary: fc.nat(20), weight: 1 },
    { arbitrary: fc.integer({ min: 10 ** 8, max: 2 ** 31 - 1 }), weight: 3 },
  );
  let forwarded = 0;
  await fc.assert(
    fc.asyncProperty(message, branchNumber, async (mutated, branch) => {
      const fromCallee = mutated.startsWith('SIP/');
      const text = fromCallee ? mutated : mutated.replace('z9hG4bKcaller1', `z9hG4bKcaller${branch}`);
      await rig.receive(text, fromCallee ? CALLEE : CALLER);
      for (const { text: printed } of rig.take()) {
        assert.ok(parseMessage(Buffer.from(printed, 'latin1'), RECEIVED).ok, printed);
        if (printed.startsWith('SIP/2.0 ')) continue;
        assert.equal(headFault(Buffer.from(printed, 'latin1')), null, printed);
        forwarded += 1;
      }
    }),
    { numRuns: 10_000 },
  );
  assert.ok(forwarded > 500, `only ${forwarded} requests were sent on`);
  assert.deepEqual(rig.lines('error'), []);
  await rig.receive(request({ method: 'OPTIONS', branch: 'z9hG4bKafter', callId: 'after' }), CALLER);
  assert.deepEqual(rig.starts(), ['OPTIONS sip:bob@10.0.0.3 SIP/2.0 -> 10.0.0.3:5060']);
  await rig.advance(LONG_MS);
  await rig.advance(LONG_MS);
  assert.equal(rig.clock.pending, 0, 'nothing is left of any of them');
});
