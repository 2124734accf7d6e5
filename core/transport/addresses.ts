import { isIPv6, SocketAddress } from 'node:net';
import { networkInterfaces } from 'node:os';

export type Family = 4 | 6;

const COLON = 0x3a;
const DOT = 0x2e;
const ZERO = 0x30;
/** First octet of the first IPv4 address that is not unicast: multicast, then reserved and broadcast (RFC 1112 4, RFC 5735 4). */
const FIRST_MULTICAST_OCTET = 224;

/** Family of a numeric address. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

/** An IPv4-mapped IPv6 address, however written, as IPv4 (RFC 4291 2.5.5.2); any other numeric address as it is. */
export function unmapped(address: string): string {
  const first = address.charCodeAt(0);
  if ((first !== COLON && first !== ZERO) || address === '::1' || !isIPv6(address)) return address;
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  return canonical.startsWith('::ffff:') && canonical.includes('.')
    ? canonical.slice('::ffff:'.length)
    : address;
}

/** Whether one host answers at a numeric address: false for multicast, broadcast and the unspecified address. */
export function isUnicast(address: string): boolean {
  if (familyOf(address) === 6) {
    const multicast = address.charCodeAt(4) === COLON && address.slice(0, 2).toLowerCase() === 'ff';
    return !multicast && address !== '::';
  }
  let octet = 0;
  for (let i = 0; i < 3 && address.charCodeAt(i) !== DOT; i += 1)
    octet = octet * 10 + address.charCodeAt(i) - ZERO;
  return octet > 0 && octet < FIRST_MULTICAST_OCTET;
}

/** Whether an address to listen on stands for all of its family. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** A host as it stands in URIs and Via: IPv6 in brackets and without the zone, which means nothing to others (RFC 4007 11.2). */
export function bracketed(host: string): string {
  if (!isIPv6(host)) return host;
  const zone = host.indexOf('%');
  return `[${zone < 0 ? host : host.slice(0, zone)}]`;
}

/** An address of this machine that others may reach it at: the first of a network interface, not link-local, else loopback's. */
export function interfaceAddress(family: Family): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, internal, ...rest } of addresses ?? []) {
      const linkLocal = 'scopeid' in rest && rest.scopeid !== 0;
      if (!internal && !linkLocal && familyOf(address) === family) return address;
    }
  }
  return family === 4 ? '127.0.0.1' : '::1';
}
