/** The memcached operations of a call, those that the call benchmark measures. */
const ON_INVITE = `
      await pv.$mct(\`call::\${pv.$ci.get()}\`).set(\`\${pv.$si.get()}:\${pv.$sp.get()}\`);
      await pv.$mcinc('active').set(1);`;
const ON_BYE = `
        await pv.$mct(\`call::\${pv.$ci.get()}\`).set(null);
        await pv.$mcdec('active').set(1);`;

/** Answers a request to the user `probe` with what memcached gives back for a key written now, and with a counter moved by one. */
const PROBE = `
    if (pv.$rU.get() === 'probe') {
      await pv.$mct('probe').set(pv.$ci.get());
      const value = await pv.$mct('probe').get();
      const probes = await ksr.memcached.count('probes').add(1);
      ksr.textops.append_to_reply(\`X-Value: \${value}\\r\\nX-Count: \${JSON.stringify(probes)}\\r\\n\`);
      return ksr.sl.sl_send_reply(200, 'OK');
    }
`;

/** Text of a kamailio.yaml for `callRoutes`, on free ports. `memcached`: that module's servers. */
export function callConfiguration({
  memcached,
  addresses = ['127.0.0.1'],
}: {
  readonly memcached?: string | undefined;
  readonly addresses?: readonly string[];
} = {}): string {
  return `listen: [${addresses.map((address) => `"udp:${address}:0"`).join(', ')}]
log: { level: info, format: json }
modules:
  pv: {}
  sl: {}
  tm: {}
  rr: {}
  maxfwd: {}
  siputils: {}
  textops: {}
  ${memcached === undefined ? '' : `memcached: { servers: "${memcached}" }`}
`;
}

export interface CallRoutesOptions {
  /** Keeps the state of each call and the number of active ones in memcached. */
  readonly cached?: boolean;
  /** Sends requests of a dialog without a Route header to the callee too, for callers that heed no Record-Route; else they get 404. */
  readonly lenient?: boolean;
}

/** Text of a routes file that stays on the path of calls and sends what begins a dialog, or needs none, to a callee at `address:port`. */
export function callRoutes(
  callee: string,
  { cached = false, lenient = false }: CallRoutesOptions = {},
): string {
  const modules = ['pv', 'sl', 'tm', 'rr', 'maxfwd', 'siputils', 'textops', ...(cached ? ['memcached'] : [])];
  const onUnrouted = lenient
    ? `pv.$du.set(CALLEE);`
    : `return ksr.siputils.is_method('ACK') ? undefined : ksr.sl.sl_send_reply(404, 'Not Here');`;
  return `import { defineRoutes } from 'kamaiki';
const CALLEE = 'sip:${callee}';
export default defineRoutes({
  uses: ${JSON.stringify(modules)},
  async request({ pv, ksr }) {
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');
    if (ksr.siputils.is_method('CANCEL')) {
      if (ksr.tm.t_check_trans()) return ksr.tm.t_relay();
      return ksr.sl.sl_send_reply(481, 'Call/Transaction Does Not Exist');
    }
    const isRouted = ksr.rr.loose_route();
    if (ksr.siputils.has_totag()) {
      if (!isRouted) ${onUnrouted}
      if (ksr.siputils.is_method('BYE')) {${cached ? ON_BYE : ''}
      }
      return ksr.tm.t_relay();
    }
${cached ? PROBE : ''}
    if (ksr.siputils.is_method('INVITE')) {
      ksr.rr.record_route();${cached ? ON_INVITE : ''}
    }
    pv.$du.set(CALLEE);
    return ksr.tm.t_relay();
  },
});
`;
}
