import { freePort } from '../programs/free-port.ts';
import { startKamailio } from '../programs/kamailio.ts';
import { startProxy } from '../programs/proxy.ts';
import { type Peer, TortureRig } from './rig.ts';
import type { Outcome } from './second-opinion-outcome.ts';
import { Sink } from './sink.ts';

/** No transaction ends by itself while the test runs, ms: its 408 would be taken for the answer to a later message. */
const FR_TIMER_MS = 120_000;

/**
 * The checks that RFC 3261 16.3 asks for, which kamaiki makes without being told and Kamailio in its module sanity: SIP version (1) and scheme (2) of
 * the Request-URI, required headers (4), CSeq's method (32) and number (64), Content-Length (128), Proxy-Require (512), URIs that
 * parse (1024), top Via (16384). Not Expires (256), which a proxy does not use.
 */
const SANITY_CHECKS = 1 + 2 + 4 + 32 + 64 + 128 + 512 + 1024 + 16_384;
/** The URIs that the check above parses: Request-URI (1), From (2) and To (4). */
const SANITY_URIS = 1 + 2 + 4;

function kamaikiRoutes(sinkPort: number): string {
  return `import { defineRoutes } from 'kamaiki';
export default defineRoutes({
  uses: ['pv', 'sl', 'tm', 'maxfwd'],
  request({ pv, ksr }) {
    if (!ksr.maxfwd.process_maxfwd(10)) return ksr.sl.sl_send_reply(483, 'Too Many Hops');
    pv.$du.set('sip:127.0.0.1:${sinkPort}');
    return ksr.tm.t_relay();
  },
});
`;
}

const KAMAIKI_YAML = `listen: ["udp:127.0.0.1:0"]
log: { level: info, format: json }
limits: { shutdown_timeout: 0 }
modules:
  pv: {}
  sl: {}
  tm: { fr_timer: ${FR_TIMER_MS} }
  maxfwd: {}
`;

/** One process takes all messages, so that they are dealt with in the order in which they come. */
function kamailioConfiguration(port: number, sinkPort: number): string {
  return `#!KAMAILIO
debug=-1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:${port}
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "maxfwd.so"
loadmodule "sanity.so"
modparam("tm", "fr_timer", ${FR_TIMER_MS})
modparam("tm", "fr_inv_timer", ${FR_TIMER_MS})
request_route {
  if (!sanity_check("${SANITY_CHECKS}", "${SANITY_URIS}")) exit;
  if (!mf_process_maxfwd_header("10")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  $du = "sip:127.0.0.1:${sinkPort}";
  t_relay();
}
`;
}

/** One of the two proxies, between a caller and a sink of its own. */
class Opinion {
  readonly #rig: TortureRig<Peer>;
  /** All that came so far: what comes again is a retransmission, for a message before. */
  readonly #seen = new Set<string>();

  constructor(rig: TortureRig<Peer>) {
    this.#rig = rig;
  }

  /** Sends a message, and then a request that is answered when all that the proxy did with the message has been seen. */
  async ask(bytes: Buffer): Promise<Outcome> {
    const { replies, sink } = this.#rig;
    await this.#rig.send(bytes);
    await this.#rig.probe(bytes.length);
    const [forwarded = null] = this.#fresh(sink.requests.splice(0));
    const reply = this.#fresh(replies.splice(0)).find(
      // 480 is the sink's, perhaps late, for a message that was sent on.
      (text) => !/^SIP\/2\.0 (?:100|480) /.test(text) && !text.includes(`\r\nCall-ID: ${Sink.PROBE}`),
    );
    if (forwarded !== null) return { verdict: 'forwarded', forwarded };
    const [, status, reason = ''] = /^SIP\/2\.0 (\d{3}) (.*)/.exec(reply ?? '') ?? [];
    const verdict = status === undefined ? ('dropped' as const) : (`${Number(status)} ${reason}` as const);
    return { verdict, forwarded: null };
  }

  #fresh(texts: readonly string[]): string[] {
    return texts.filter((text) => {
      const isNew = !this.#seen.has(text);
      this.#seen.add(text);
      return isNew;
    });
  }

  /** What was wrong with the form of what the proxy sent on. */
  get faults(): readonly string[] {
    return this.#rig.sink.faults;
  }

  stop(): Promise<void> {
    return this.#rig.stop();
  }
}

/** What the two proxies did with one message. */
export interface Outcomes {
  readonly kamaiki: Outcome;
  readonly kamailio: Outcome;
}

/** kamaiki and Kamailio next to each other, configured alike: what passes their checks goes on to a sink, with state. */
export class SecondOpinion {
  readonly #kamaiki: Opinion;
  readonly #kamailio: Opinion;

  private constructor(kamaiki: Opinion, kamailio: Opinion) {
    this.#kamaiki = kamaiki;
    this.#kamailio = kamailio;
  }

  static async start(): Promise<SecondOpinion> {
    const kamaiki = new Opinion(
      await TortureRig.around((sinkPort) =>
        startProxy({ yaml: KAMAIKI_YAML, routes: kamaikiRoutes(sinkPort) }),
      ),
    );
    const kamailioPort = await freePort();
    try {
      const rig = await TortureRig.around((sinkPort) =>
        startKamailio(kamailioConfiguration(kamailioPort, sinkPort)),
      );
      return new SecondOpinion(kamaiki, new Opinion(rig));
    } catch (error) {
      await kamaiki.stop();
      throw error;
    }
  }

  async ask(message: string): Promise<Outcomes> {
    const bytes = Buffer.from(message, 'latin1');
    const [kamaiki, kamailio] = await Promise.all([this.#kamaiki.ask(bytes), this.#kamailio.ask(bytes)]);
    return { kamaiki, kamailio };
  }

  /** What was wrong with the form of what kamaiki sent on. */
  get faults(): readonly string[] {
    return this.#kamaiki.faults;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#kamaiki.stop(), this.#kamailio.stop()]);
  }
}
