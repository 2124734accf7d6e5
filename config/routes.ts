import { defineRoutes, type RouteContext } from 'kamaiki';

// A small stateful proxy. It sends a request on to where its Request-URI says, stays on the path of the calls, keeps the state of each call in
// memcached and counts those that are active. `kamaiki call` places a call through it and shows both.
//
// It checks no one's identity: see the comment at `listen` in kamailio.yaml before others can reach it.

/** The active calls, counted by all proxies that use the same memcached, and how many there may be at a time. */
const CALLS = 'calls';
const MAX_CALLS = 1000;

/**
 * How long a call counts after its last request, s. Its place is a lease: one that no BYE gives back, since it was lost or the proxy died, ends by
 * itself, so that the count is never wrong for longer. With session timers (RFC 4028) a call has a request each half hour; without, this is the
 * longest call that counts.
 */
const LEASE_S = 7200;

/** A plain counter only ever goes up here: going down as well, it would drift. Kamailio nodes may count in it too: $mcinc(calls::total) = 1. */
const TOTAL = 'calls::total';

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
      // These tell by their answer whether a call goes on; others may belong to what is no call.
      else if (ksr.siputils.is_method('INVITE|UPDATE')) ksr.tm.t_on_reply('goesOn');
      return ksr.tm.t_relay();
    }

    // OPTIONS for the proxy itself: is it alive? The user `status` is what `kamaiki call` asks. It is answered to this machine only, and
    // only when no proxy stands between: a stranger's request that comes back to us from here has two Via. What asks for another goes there.
    if (ksr.siputils.is_method('OPTIONS') && ksr.siputils.is_myself_ruri()) {
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
      if (!(await callBegins(context))) return ksr.sl.send_reply(503, 'Too Many Calls');
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

  onreply: {
    // Armed by t_on_reply: a request within a call was answered. A 2xx says that the call is still there, and its place lasts longer.
    async goesOn({ pv, ksr }) {
      const code = pv.$rs.get() ?? 0;
      if (code >= 200 && code < 300) await ksr.memcached.renew(CALLS, pv.$ci.get(), { ttl: LEASE_S });
    },
  },
});

/** What the functions below see of a handler's context. */
type Context<Kind extends 'request' | 'failure'> = RouteContext<
  'pv' | 'sl' | 'textops' | 'xlog' | 'memcached',
  Kind
>;

/** Counts the call and remembers where it comes from, for as long as `expire` in kamailio.yaml says. False when there are too many. */
async function callBegins({ pv, ksr }: Context<'request'>): Promise<boolean> {
  // A call counts once, however often its INVITE comes. While no memcached answers, this proxy counts alone.
  const place = await ksr.memcached.acquire(CALLS, { max: MAX_CALLS, id: pv.$ci.get(), ttl: LEASE_S });
  if (place.status !== 'acquired') return false;
  // Side by side: one round trip.
  await Promise.all([
    // Kamailio: $mct(call::$ci) = $si
    pv.$mct`call::$ci`.set(pv.$si.get()),
    // As $mcinc, but it also creates the counter, and no proxy's count is lost.
    ksr.memcached.count(TOTAL).add(1, { expire: 0 }),
  ]);
  return true;
}

/** Gives the call's place back and forgets the call: once, however many end it, such as a BYE from each side. */
async function callEnded({ pv, ksr }: Context<'request' | 'failure'>): Promise<void> {
  const place = await ksr.memcached.release(CALLS, pv.$ci.get());
  // Someone before us forks the call: this fork is over, and another goes on.
  if (place.status === 'kept') return;
  // Kamailio: $mct(call::$ci) = $null
  await pv.$mct`call::$ci`.set(null);
  if (place.status === 'released') {
    await ksr.xlog.xlog('L_INFO', `call $ci ended, ${place.active} active, $mct(calls::total) in all`);
  }
}

/** Tells the number of active calls, and the state of the call whose Call-ID the header X-Call-ID names. */
async function status({ pv, ksr }: Context<'request'>): Promise<void> {
  const count = await ksr.memcached.active(CALLS);
  const active = count.status === 'done' ? count.active : 'unknown';
  const state = await ksr.memcached.read(`call::${pv.$hdr('X-Call-ID').get()}`);
  await ksr.textops.append_to_reply(
    `X-Active-Calls: ${active}\r\nX-Call-State: ${state.status === 'hit' ? state.value : 'none'}\r\n`,
  );
  ksr.sl.sl_send_reply(200, 'OK');
}
