import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { PATIENCE_MS } from '../programs/child.ts';
import { freePort } from '../programs/free-port.ts';
import { startKamailio } from '../programs/kamailio.ts';
import type { Memcached } from '../programs/memcached.ts';
import { startProxy } from '../programs/proxy.ts';

/** What Kamailio does: counts calls, and does as OPTIONS requests tell it (X-Do, X-Key, X-Val). */
function kamailioText(port: number, memcached: Memcached, mode: 0 | 1): string {
  return `#!KAMAILIO
debug=1
log_stderror=yes
# One process: of two, one can see the reply to a request that the other is about to have sent, and answers 500.
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:${port}
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "memcached.so"
# Transactions that are over are kept for less time than is usual, so that so many calls fit into its memory.
modparam("tm", "wt_timer", 2000)
modparam("memcached", "servers", "${memcached.server}")
modparam("memcached", "expire", 10800)
modparam("memcached", "mode", ${mode})
request_route {
  if (is_method("OPTIONS")) { route(CACHE); exit; }
  if (is_method("ACK")) { if (loose_route()) { t_relay(); } exit; }
  # A retransmission ends here, before it is counted; so does one that comes between the two, to another process.
  t_check_trans();
  if (!t_newtran()) { exit; }
  if (has_totag()) {
    if (!loose_route()) { t_reply("404", "Not Here"); exit; }
    $mcdec(active) = 1;
    t_relay();
    exit;
  }
  record_route();
  $mcinc(calls:total) = 1;
  $mcinc(calls:kamailio) = 1;
  $mcinc(active) = 1;
  $mct(by::$ci) = "kamailio";
  t_relay();
}
route[CACHE] {
  $var(key) = $hdr(X-Key);
  $var(int) = $(hdr(X-Val){s.int});
  switch ($hdr(X-Do)) {
    case "string": $mct($var(key)) = $hdr(X-Val); break;
    case "integer": $mct($var(key)) = $var(int); break;
    case "increment": $mcinc($var(key)) = $var(int); break;
    case "decrement": $mcdec($var(key)) = $var(int); break;
    case "short": $mct($var(key)=>1) = $hdr(X-Val); break;
    case "shorten": $mctex($var(key)) = 1; break;
    case "delete": $mct($var(key)) = $null; break;
  }
  # Printed inside a text, an integer of $mct is a wrong character in this version: it is copied first.
  if ($mct($var(key)) == $null) { append_to_reply("X-Got: none\\r\\n"); }
  else { $var(got) = $mct($var(key)); append_to_reply("X-Got: is $var(got)\\r\\n"); }
  sl_send_reply("200", "OK");
}
`;
}

/** The same in routes, in the same words where there are such. */
const ROUTES = `import { defineRoutes } from 'kamaiki';
export default defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'siputils', 'textops', 'memcached'],
  async request({ pv, ksr }) {
    if (ksr.siputils.is_method('OPTIONS')) {
      const key = pv.$hdr('X-Key').get() ?? '';
      const value = pv.$hdr('X-Val').get() ?? '';
      switch (pv.$hdr('X-Do').get()) {
        case 'string': await pv.$mct(key).set(value); break;
        case 'integer': await pv.$mct(key).set(Number(value)); break;
        case 'increment': await pv.$mcinc(key).set(Number(value)); break;
        case 'decrement': await pv.$mcdec(key).set(Number(value)); break;
        case 'short': await pv.$mct(key, { expire: 1 }).set(value); break;
        case 'shorten': await pv.$mctex(key).set(1); break;
        case 'delete': await pv.$mct(key).set(null); break;
        default: break;
      }
      const got = await pv.$mct(key).get();
      await ksr.textops.append_to_reply(got === null ? 'X-Got: none\\r\\n' : \`X-Got: is \${got}\\r\\n\`);
      ksr.sl.sl_send_reply(200, 'OK');
      return;
    }
    if (ksr.siputils.has_totag()) {
      if (!ksr.rr.loose_route()) return ksr.siputils.is_method('ACK') ? undefined : ksr.sl.sl_send_reply(404, 'Not Here');
      if (ksr.siputils.is_method('BYE')) await pv.$mcdec('active').set(1);
      return ksr.tm.t_relay();
    }
    ksr.rr.record_route();
    await pv.$mcinc('calls:total').set(1);
    await pv.$mcinc('calls:kamaiki').set(1);
    await ksr.memcached.count('active').add(1);
    await pv.$mct\`by::$ci\`.set('kamaiki');
    return ksr.tm.t_relay();
  },
});
`;

/** What can be done with a key: the words of X-Do. */
export type Deed = 'string' | 'integer' | 'increment' | 'decrement' | 'short' | 'shorten' | 'delete' | 'read';

/** A proxy, of either kind. */
export interface CacheProxy {
  readonly name: string;
  readonly port: number;
  /** Has it do something with a key; resolves to what it then reads, null when there is nothing. */
  do(deed: Deed, key: string, value?: string | number): Promise<string | null>;
}

/** One proxy of each kind behind one memcached; they end with the test. */
export async function startMixed(
  t: TestContext,
  memcached: Memcached,
  mode: 0 | 1 = 0,
): Promise<{ readonly kamailio: CacheProxy; readonly kamaiki: CacheProxy }> {
  const kamailio = await startKamailio(kamailioText(await freePort(), memcached, mode));
  t.after(() => kamailio.stop());
  const kamaiki = await startProxy({
    // Takes every call: one that is turned away and made again may count twice, when its first INVITE was sent twice.
    yaml: `listen: ["udp:127.0.0.1:0"]
limits: { max_wait: 0 }
modules: { pv: {}, sl: {}, tm: {}, rr: {}, siputils: {}, textops: {}, memcached: { servers: "${memcached.server}", mode: ${mode} } }`,
    routes: ROUTES,
  });
  t.after(() => kamaiki.stop());
  return { kamailio: cacheProxy('kamailio', kamailio.port), kamaiki: cacheProxy('kamaiki', kamaiki.port) };
}

let requests = 0;

function cacheProxy(name: string, port: number): CacheProxy {
  return {
    name,
    port,
    async do(deed, key, value = '') {
      const socket = createSocket('udp4').bind(0, '127.0.0.1');
      await once(socket, 'listening');
      const id = `${process.pid}-${++requests}`;
      const lines = [
        'OPTIONS sip:cache@127.0.0.1 SIP/2.0',
        `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bK${id}`,
        'Max-Forwards: 70',
        'From: <sip:test@127.0.0.1>;tag=1',
        'To: <sip:cache@127.0.0.1>',
        `Call-ID: ${id}`,
        'CSeq: 1 OPTIONS',
        `X-Do: ${deed}`,
        `X-Key: ${key}`,
        `X-Val: ${value}`,
        'Content-Length: 0',
      ];
      try {
        socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, '127.0.0.1');
        const [answer]: Buffer[] = await once(socket, 'message', {
          signal: AbortSignal.timeout(PATIENCE_MS),
        });
        const got = /^X-Got: (none|is (.*))\r$/m.exec(answer?.toString() ?? '');
        if (got === null) throw new Error(`${name} answered: ${answer?.toString()}`);
        return got[2] ?? null;
      } finally {
        socket.close();
      }
    },
  };
}
