import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { Registry } from '../../../core/registry/registry.ts';
import { compileContext } from '../../../core/routing/bind.ts';
import { Formats } from '../../../core/routing/formats.ts';
import { maxfwd } from '../../../modules/maxfwd/maxfwd.ts';
import { pv } from '../../../modules/pv/pv.ts';
import { rr } from '../../../modules/rr/rr.ts';
import { siputils } from '../../../modules/siputils/siputils.ts';
import { sl } from '../../../modules/sl/sl.ts';
import { textops } from '../../../modules/textops/textops.ts';
import { xlog } from '../../../modules/xlog/xlog.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { fakeCore, linesOf, printed, request, scopeOf } from '../fake-core.ts';

const modules = [maxfwd, pv, rr, siputils, sl, textops, xlog];

/** Handlers in the way that users write them: that this compiles is the half of the test. */
const routes = defineRoutes({
  uses: ['pv', 'sl', 'maxfwd', 'rr', 'siputils', 'textops', 'xlog'],
  async request({ msg, pv: v, ksr }) {
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');
    if (ksr.siputils.has_totag()) return ksr.rr.loose_route();
    ksr.rr.record_route();
    ksr.rr.add_rr_param(';from=test');
    v.$var('count').set(1);
    v.$avp('caller').set(v.$fU.get());
    v.$rU.set('carol');
    const user: string | null = v.$rU.get();
    const number: number = v.$cs.get();
    await ksr.xlog.xlog('L_INFO', '$rm $ru $fn from $si:$sp, $var(count) $avp(caller) $hdr(X-None) $rp\n');
    await ksr.xlog.xlog(`${msg.method} ${user} ${number}`);
    await ksr.textops.append_hf('X-Caller: $fU at $fd\r\n');
    await ksr.textops.append_to_reply('X-Length: $ml');
    await ksr.pv.sets('$ru', 'sip:dave@example.com');
    // @ts-expect-error -- $si cannot be set
    assert.throws(() => v.$si.set('192.0.2.2'));
    assert.throws(() => ksr.pv.sets('$si', '192.0.2.2'), { code: 'ERR_PV_READ_ONLY' });
    return ksr.sl.send_reply(404, `No ${await ksr.pv.gete('$rU')}`);
  },
  reply({ pv: v, ksr }) {
    // @ts-expect-error -- a reply is not replied to
    ksr.sl.sl_send_reply(404, `No ${v.$rs.get()}`);
  },
  failure: {
    busy({ ksr }) {
      // @ts-expect-error -- the request has a transaction by then
      ksr.sl.sl_send_reply(486, 'Busy Here');
      return ksr.sl.send_reply(486, 'Busy Here');
    },
  },
});

function setUp() {
  const log = recordedLog();
  const formats = new Formats();
  const core = fakeCore({ formats });
  const registry = Registry.load(
    modules,
    modules.map(({ name }) => ({ name, params: {} })),
    { core, log },
  );
  formats.use(registry);
  const Context = compileContext(registry.loaded);
  return { core, log, contextOf: (msg: ReturnType<typeof request>) => new Context(scopeOf(msg), log) };
}

test('modules: load together and do in a handler what the routes say', async () => {
  const { core, log, contextOf } = setUp();
  const msg = request();
  const sent: unknown = await Reflect.apply(Reflect.get(routes, 'request'), routes, [contextOf(msg)]);
  assert.equal(sent, true);
  assert.deepEqual(
    log.lines.map((line) => [line.level, line.message]),
    [
      ['info', 'INVITE sip:carol@example.com "Alice A." from 198.51.100.7:5070, 1 alice <null> 5060'],
      ['error', 'INVITE carol 17'],
    ],
  );
  const out = printed(msg);
  assert.match(out, /^INVITE sip:dave@example\.com SIP\/2\.0\r\n/);
  assert.deepEqual(linesOf(out, 'max-forwards'), ['Max-Forwards: 69']);
  assert.deepEqual(linesOf(out, 'record-route'), [
    'Record-Route: <sip:192.0.2.1:5060;lr;ftag=fa1;from=test>',
  ]);
  assert.deepEqual(linesOf(out, 'x-caller'), ['X-Caller: alice at example.org']);
  const [reply] = core.replies;
  assert.match(reply?.text ?? '', /^SIP\/2\.0 404 No dave\r\n/);
  assert.deepEqual(linesOf(reply?.text ?? '', 'x-length'), [`X-Length: ${msg.head.length}`]);
});
