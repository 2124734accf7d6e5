import { defineRoutes, type RouteContext } from 'kamaiki';

// A small stateful proxy. It sends a request on to where its Request-URI says, stays on the path of the calls, keeps the state of each call in
// memcached and counts those that are active. `kamaiki call` places a call through it and shows both.
//
// It checks no one's identity: see the comment at `listen` in kamailio.yaml before others can reach it.

/** The counter of active calls. Every proxy that uses the same memcached counts into it. */
const ACTIVE = 'active';

export default defineRoutes({
  // The modules that these routes use. They type what the handlers see, and kamailio.yaml must load them.
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils', 'textops', 'xlog', 'memcached'],

  // Every request comes here, but for retransmissions: tm takes care of those. A handler ends by `return`.
  async request(context) {
    const { pv, ksr } = context;

    // A request that has passed too many proxies runs in circles.
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');

    // Scanners look for open servers all day; most give their name.
    if (/sipvicious|friendly-scanner|sipcli/i.test(pv.$ua.get() ?? ''))
      return ksr.sl.sl_send_reply(403, 'Forbidden');

    // A CANCEL follows its INVITE, if that is still here.
    if (ksr.siputils.is_method('CANCEL')) {
      if (ksr.tm.t_check_trans()) return ksr.tm.t_relay();
      return ksr.sl.sl_send_reply(481, 'Call/Transaction Does Not Exist');
    }

    // A To tag: the request belongs to a dialog. Its Route headers lead the way; record_route put us there.
    if (ksr.siputils.has_totag()) {
      if (!ksr.rr.loose_route()) {
        // An ACK gets no answer, so that one that leads nowhere is dropped.
        return ksr.siputils.is_method('ACK') ? undefined : ksr.sl.sl_send_reply(404, 'Not Here');
      }
      if (ksr.siputils.is_method('BYE')) await callEnded(context);
      return ksr.tm.t_relay();
    }

    // OPTIONS for the proxy itself: is it alive? The user `status` is what `kamaiki call` asks. It is answered to this machine only, and
    // only when no proxy stands between: a stranger's request that comes back to us from here has two Via.
    if (ksr.siputils.is_method('OPTIONS')) {
      if (pv.$rU.get() === null) return ksr.sl.sl_send_reply(200, 'OK');
      const local = pv.$si.get() === '127.0.0.1' && ksr.siputils.is_first_hop();
      if (local && pv.$rU.get() === 'status') return status(context);
    }

    // Takes our own address off the Route headers, if someone put it there (an outbound proxy setting does).
    ksr.rr.loose_route();

    // A request for the proxy itself: it has no users of its own, and sending it on would send it here again.
    if (ksr.siputils.is_myself_ruri()) return ksr.sl.sl_send_reply(404, 'Not Found');

    // Requests that begin a dialog: what follows in it shall come through here too.
    if (ksr.siputils.is_method('INVITE|SUBSCRIBE|REFER')) ksr.rr.record_route();

    if (ksr.siputils.is_method('INVITE')) {
      await callBegins(context);
      ksr.tm.t_on_failure('unanswered');
    }
    await ksr.xlog.xlog('L_INFO', '$rm $ru from $si:$sp, call $ci');

    // False: it could not be sent, and has been answered with an error.
    if (!(await ksr.tm.t_relay()) && ksr.siputils.is_method('INVITE')) await callEnded(context);
  },

  failure: {
    // Armed by t_on_failure: the INVITE was refused, cancelled, or no one answered it.
    async unanswered(context) {
      await callEnded(context);
    },
  },
});

/** What the functions below see of a handler's context. */
type Context<Kind extends 'request' | 'failure'> = RouteContext<
  'pv' | 'sl' | 'textops' | 'xlog' | 'memcached',
  Kind
>;

/** The key of a call's state. Call-IDs are unique in the world (RFC 3261 8.1.1.4). */
function keyOf(callId: string | null): string {
  return `call::${callId}`;
}

/** Remembers where the call comes from, for as long as `expire` in kamailio.yaml says, and counts it. */
async function callBegins({ pv, ksr }: Context<'request'>): Promise<void> {
  // Kamailio: $mct(call::$ci) = $si
  await pv.$mct`call::$ci`.set(pv.$si.get());
  // Kamailio: $mcinc(active) = 1, which needs the counter to be there; `count` also creates it, and no proxy's count is lost.
  await ksr.memcached.count(ACTIVE).add(1, { expire: 0 });
}

/** Forgets the call and counts it off, once. */
async function callEnded({ pv, ksr }: Context<'request' | 'failure'>): Promise<void> {
  // Of several that end a call, such as a BYE from each side, only one deletes its state: that one counts down.
  const { status: outcome } = await ksr.memcached.remove(keyOf(pv.$ci.get()));
  if (outcome !== 'removed') return;
  await pv.$mcdec(ACTIVE).set(1);
  await ksr.xlog.xlog('L_INFO', 'call $ci ended, $mct(active) active');
}

/** Tells the number of active calls, and the state of the call whose Call-ID the header X-Call-ID names. */
async function status({ pv, ksr }: Context<'request'>): Promise<void> {
  const active = (await pv.$mct(ACTIVE).get()) ?? 0;
  const state = await ksr.memcached.read(keyOf(pv.$hdr('X-Call-ID').get()));
  await ksr.textops.append_to_reply(
    `X-Active-Calls: ${active}\r\nX-Call-State: ${state.status === 'hit' ? state.value : 'none'}\r\n`,
  );
  ksr.sl.sl_send_reply(200, 'OK');
}
