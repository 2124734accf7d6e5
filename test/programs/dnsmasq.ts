import { Child, type Exit } from './child.ts';
import { freePort } from './free-port.ts';
import { acceptsTcp } from './ports.ts';

export interface Dnsmasq {
  /** `127.0.0.1:port` */
  readonly server: string;
  /** How many queries of a type came for a name. */
  asked(type: string, name: string): number;
  stop(): Promise<Exit>;
}

/** Starts a DNS server on 127.0.0.1 that knows the domain `test` by the options given, such as `--host-record=a.test,192.0.2.1`. */
export async function startDnsmasq(records: readonly string[]): Promise<Dnsmasq> {
  const port = await freePort();
  const alone = ['--no-daemon', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--local=/test/'];
  const listen = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces'];
  const child = new Child('dnsmasq', [...alone, ...listen, '--log-queries', ...records]);
  await child.until(`connection on port ${port}`, () => acceptsTcp(port));
  return {
    server: `127.0.0.1:${port}`,
    asked: (type, name) => child.err.filter((line) => line.includes(`query[${type}] ${name} from`)).length,
    stop: () => child.stop(),
  };
}
