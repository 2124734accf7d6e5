/** What Kamailio's configuration depends on. */
export interface KamailioOptions {
  readonly port: number;
  readonly calleePort: number;
  /** memcached's `host:port`; null: calls are neither cached nor counted. */
  readonly memcached: string | null;
  /** Worker processes. */
  readonly children: number;
  /** Longest ringing, ms. */
  readonly ringMs: number;
}

const MODULES = ['kex', 'tm', 'tmx', 'sl', 'rr', 'pv', 'maxfwd', 'textops', 'siputils'];

/** The routing of routes.ts in Kamailio's script. */
export function kamailioConfiguration(options: KamailioOptions): string {
  const { port, calleePort, memcached, children, ringMs } = options;
  const cached = (statements: string): string => (memcached === null ? '' : statements);
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=${children}
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:${port}
${MODULES.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("tm", "fr_timer", 5000)
modparam("tm", "fr_inv_timer", ${ringMs})
${cached(`loadmodule "memcached.so"
modparam("memcached", "servers", "${memcached}")
modparam("memcached", "expire", 10800)`)}
request_route {
  if (!mf_process_maxfwd_header("10")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  if (has_totag()) {
    if (loose_route()) {
      ${cached('if (is_method("BYE")) { $mct(call::$ci) = $null; $mcdec(active) = 1; }')}
      t_relay();
      exit;
    }
    if (is_method("ACK")) {
      if (t_check_trans()) t_relay();
      exit;
    }
    sl_send_reply("404", "Not here");
    exit;
  }
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  t_check_trans();
  record_route();
  ${cached('if (is_method("INVITE")) { $mct(call::$ci) = $si + ":" + $sp; $mcinc(active) = 1; }')}
  $du = "sip:127.0.0.1:${calleePort}";
  t_relay();
}
`;
}
