import { isIpAddress } from '../sip/host.ts';
import { param, type ParamSchema, type ParamValues } from '../registry/params.ts';
import type { DnsSettings } from '../transport/dns-client.ts';
import { parseHostPort } from './listen-address.ts';

/** Keys of kamailio.yaml's `dns`. */
export const DNS_KEYS = {
  servers: param.string({
    default: '',
    check: (text) => {
      const wrong = serversOf(text).find((server) => !isServer(server));
      return wrong === undefined ? null : `${wrong} is none`;
    },
    expected: 'addresses of DNS servers, such as "192.0.2.53, [2001:db8::53]:5353"',
    doc: "DNS servers to ask, separated by commas; empty: the system's.",
  }),
  srv: param.bool({
    default: true,
    doc: 'Whether SRV records tell the servers of a domain without a port (RFC 3263).',
  }),
  naptr: param.bool({
    default: true,
    doc: 'Whether NAPTR records choose the transport where a URI names neither that nor a port; needs srv.',
  }),
} satisfies ParamSchema;

/** The settings that the key `dns` stands for. */
export function dnsSettings({ servers, srv, naptr }: ParamValues<typeof DNS_KEYS>): DnsSettings {
  return { servers: serversOf(servers), srv, naptr };
}

function serversOf(text: string): string[] {
  return text
    .split(',')
    .map((server) => server.trim())
    .filter((server) => server !== '');
}

function isServer(text: string): boolean {
  const found = parseHostPort(text);
  return found !== null && isIpAddress(found.host) && found.port !== 0;
}
