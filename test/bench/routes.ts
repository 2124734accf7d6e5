import { defineRoutes } from 'kamaiki';

/** Where the benchmark's callee listens. */
const CALLEE = process.env['CALLEE'] ?? '127.0.0.1:5070';

/** Whether calls are cached and counted; `CACHE=off` measures the proxy alone. */
const CACHED = process.env['CACHE'] !== 'off';

/** The routing of the call benchmark: a record-routed call with four memcached operations. */
export default defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils', 'memcached'],

  async request({ pv, ksr }) {
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');

    if (ksr.siputils.has_totag()) {
      if (ksr.rr.loose_route()) {
        if (CACHED && ksr.siputils.is_method('BYE')) {
          await Promise.all([pv.$mct`call::$ci`.set(null), pv.$mcdec('active').set(1)]);
        }
        return ksr.tm.t_relay();
      }
      if (ksr.siputils.is_method('ACK')) return undefined;
      return ksr.sl.sl_send_reply(404, 'Not here');
    }

    if (ksr.siputils.is_method('CANCEL')) return ksr.tm.t_check_trans() && ksr.tm.t_relay();

    ksr.rr.record_route();
    if (CACHED && ksr.siputils.is_method('INVITE')) {
      const caller = `${pv.$si.get()}:${pv.$sp.get()}`;
      await Promise.all([pv.$mct`call::$ci`.set(caller), pv.$mcinc('active').set(1)]);
    }
    pv.$du.set(`sip:${CALLEE}`);
    return ksr.tm.t_relay();
  },
});
