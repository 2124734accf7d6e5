import { defineRoutes } from 'kamaiki';

// A brake on fraud: a stolen account calls many different numbers within a short time, which no person does. Each user gets so many different
// destinations an hour and so many calls a minute; who goes above is stopped, and the log says so once in ten minutes.
//
// This file takes the user from the From header and believes it. In earnest, take the one that you have authenticated.
//
// kamailio.yaml needs the modules of `uses`, and memcached with the servers that all proxies share.

/** Different destinations of one user within an hour. */
const DESTINATIONS = 3;
/** Calls of one user within a minute. */
const CALLS = 10;
/** How long a user who was stopped is not reported again, s. */
const QUIET_S = 600;
/** Where calls go: an example. */
const GATEWAY = 'sip:127.0.0.1:5080';

export default defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils', 'xlog', 'memcached'],

  async request({ pv, ksr }) {
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');

    if (ksr.siputils.is_method('CANCEL')) {
      if (ksr.tm.t_check_trans()) return ksr.tm.t_relay();
      return ksr.sl.sl_send_reply(481, 'Call/Transaction Does Not Exist');
    }

    if (ksr.siputils.has_totag()) {
      if (ksr.rr.loose_route()) return ksr.tm.t_relay();
      return ksr.siputils.is_method('ACK') ? undefined : ksr.sl.sl_send_reply(404, 'Not Here');
    }

    if (!ksr.siputils.is_method('INVITE')) return ksr.sl.sl_send_reply(405, 'Method Not Allowed');

    const user = pv.$fU.get();
    const destination = pv.$rU.get();
    if (user === null || destination === null) return ksr.sl.sl_send_reply(404, 'Not Found');

    // `open`: calls go on while no memcached answers. Here a wrong refusal would hurt more than a few calls without the brake.
    const [calls, destinations] = await Promise.all([
      ksr.memcached.rate(`calls of ${user}`, { limit: CALLS, per: 'minute', onDown: 'open' }),
      // The same number again counts once.
      ksr.memcached.distinct(`destinations of ${user}`, destination, {
        max: DESTINATIONS,
        per: 'hour',
        onDown: 'open',
      }),
    ]);
    if (calls.status !== 'allowed' || destinations.status !== 'allowed') {
      // `remember` has one proxy of the cluster say it, once in a while.
      await ksr.memcached.remember(`reported ${user}`, QUIET_S, async () => {
        await ksr.xlog.xlog('L_WARN', 'fraud brake: user $fU stopped, the last destination was $rU');
        return 1;
      });
      return ksr.sl.send_reply(403, 'Call Barred');
    }

    ksr.rr.record_route();
    pv.$du.set(GATEWAY);
    return ksr.tm.t_relay();
  },
});
