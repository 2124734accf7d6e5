import { defineRoutes } from 'kamaiki';

// A limit of new calls per second to each trunk, counted by all proxies that share a memcached. A trunk that refuses calls above its limit, or
// charges for them, never sees more than that within any second; the calls above it go to the next trunk.
//
// kamailio.yaml needs the modules of `uses`, and memcached with the servers that all proxies share.

interface Trunk {
  readonly name: string;
  /** Where its calls go. */
  readonly uri: string;
  /** New calls within any second. */
  readonly callsPerSecond: number;
}

/** The trunks, in the order in which they are tried: these are examples. */
const TRUNKS: readonly Trunk[] = [
  { name: 'north', uri: 'sip:127.0.0.1:5080', callsPerSecond: 2 },
  { name: 'south', uri: 'sip:127.0.0.1:5090', callsPerSecond: 1 },
];

export default defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils', 'textops', 'memcached'],

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

    for (const { name, uri, callsPerSecond } of TRUNKS) {
      const rate = await ksr.memcached.rate(name, {
        limit: callsPerSecond,
        per: 'second',
        // While no memcached answers, each proxy keeps to the limit by itself. With several proxies divide it, or take `closed`.
        onDown: 'local',
      });
      if (rate.status !== 'allowed') continue;
      ksr.rr.record_route();
      pv.$du.set(uri);
      return ksr.tm.t_relay();
    }

    // All are busy: the caller may try again when the second is over.
    await ksr.textops.append_to_reply('Retry-After: 1\r\n');
    return ksr.sl.send_reply(503, 'Too Many Calls');
  },
});
