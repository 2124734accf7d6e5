// The sample of README.md, whole: test/architecture/readme.test.ts holds the two together, and the compiler is its test.
import { defineRoutes } from 'kamaiki';

export default defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils', 'memcached'],

  async request({ pv, ksr }) {
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');

    if (ksr.siputils.has_totag()) {
      if (!ksr.rr.loose_route()) return ksr.sl.sl_send_reply(404, 'Not Here');
      if (ksr.siputils.is_method('BYE')) await ksr.memcached.release('calls', pv.$ci.get());
      return ksr.tm.t_relay();
    }

    ksr.rr.record_route();
    if (!ksr.siputils.is_method('INVITE')) return ksr.tm.t_relay();
    const place = await ksr.memcached.acquire('calls', { max: 100, id: pv.$ci.get(), ttl: 7200 });
    if (place.status !== 'acquired') return ksr.sl.send_reply(503, 'Too Many Calls');
    await pv.$mct`call::$ci`.set(pv.$si.get());
    ksr.tm.t_on_failure('unanswered');
    const relayed = await ksr.tm.t_relay();
    if (!relayed) await ksr.memcached.release('calls', pv.$ci.get());
    return relayed;
  },

  failure: {
    async unanswered({ pv, ksr }) {
      await ksr.memcached.release('calls', pv.$ci.get());
    },
  },
});
