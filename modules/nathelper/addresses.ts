import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net';

const PRIVATE = new BlockList();
/** RFC 1918 3. */
PRIVATE.addSubnet('10.0.0.0', 8);
PRIVATE.addSubnet('172.16.0.0', 12);
PRIVATE.addSubnet('192.168.0.0', 16);
/** Shared address space of providers' NATs (RFC 6598 7). */
PRIVATE.addSubnet('100.64.0.0', 10);
/** Unique local addresses (RFC 4193 3.1). */
PRIVATE.addSubnet('fc00::', 7, 'ipv6');

/** Whether a host, IPv6 with brackets or without, is an address that cannot be reached from the Internet. False for names. */
export function isPrivate(host: string): boolean {
  const address = bare(host);
  const family = isIP(address);
  return family !== 0 && PRIVATE.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Whether two hosts, IPv6 with brackets or without, are the same address or name. */
export function isSameHost(a: string, b: string): boolean {
  return canonical(a) === canonical(b);
}

function canonical(host: string): string {
  const address = bare(host);
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address.toLowerCase();
}

/** The host without the brackets of an IPv6 reference, and without a zone, which means nothing to others (RFC 4007 11.2). */
export function bare(host: string): string {
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}

/** An address as it stands in a URI: IPv6 in brackets. */
export function inUri(address: string): string {
  return address.includes(':') ? `[${bare(address)}]` : address;
}

/** The port that a transport, in any case, has where none is written (RFC 3261 19.1.2, RFC 7118 5.1). */
export function defaultPort(transport: string): number {
  switch (transport.toLowerCase()) {
    case 'tls':
      return 5061;
    case 'ws':
      return 80;
    case 'wss':
      return 443;
    default:
      return 5060;
  }
}
