import { defineRoutes } from '../core/index.ts';

/**
 * What the proxy rehearses before it listens, so that its code is compiled when the first request comes: usual routes over the modules of
 * nearly every proxy. Nothing of it is seen outside: its memcached is a store of its own.
 */
export const rehearsal = {
  modules: [
    { name: 'pv', params: {} },
    { name: 'sl', params: {} },
    { name: 'tm', params: {} },
    { name: 'rr', params: {} },
    { name: 'maxfwd', params: {} },
    { name: 'siputils', params: {} },
    { name: 'memcached', params: { servers: 'embedded' } },
  ],
  /** Routes that send every call to `callee`, a SIP URI. */
  routes: (callee: string) =>
    defineRoutes({
      uses: ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils', 'memcached'],
      async request({ pv, ksr }) {
        if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');
        if (ksr.siputils.has_totag()) {
          if (!ksr.rr.loose_route()) return undefined;
          if (ksr.siputils.is_method('BYE')) {
            await Promise.all([pv.$mct`call::$ci`.set(null), pv.$mcdec('active').set(1)]);
          }
          return ksr.tm.t_relay();
        }
        ksr.rr.record_route();
        await Promise.all([pv.$mct`call::$ci`.set(pv.$si.get()), pv.$mcinc('active').set(1)]);
        pv.$du.set(callee);
        return ksr.tm.t_relay();
      },
    }),
};
