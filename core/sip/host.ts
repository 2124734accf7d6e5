import { CharKind, isKind, readDecimal } from './chars.ts';

/** The largest port number. */
export const MAX_PORT = 65_535;

/**
 * Offset behind the host that starts at `at` (RFC 3261 25.1: host name, IPv4 address or IPv6 reference in brackets); `at` itself when
 * there is none or it is malformed.
 */
export function skipHost(text: string, at: number, limit: number): number {
  if (at < limit && text.charCodeAt(at) === 0x5b) {
    const close = text.indexOf(']', at);
    return close > at && close < limit && isIpv6(text.slice(at + 1, close)) ? close + 1 : at;
  }
  let i = at;
  while (i < limit && isKind(text, i, CharKind.host)) i++;
  return i;
}

/** A port that fills [start, end): 1 to 65,535, or -1. */
export function readPort(text: string, start: number, end: number): number {
  return portOf(readDecimal(text, start, end, MAX_PORT + 1));
}

/** The number, or -1 when it is no port. */
export function portOf(number: number): number {
  return number >= 1 && number <= MAX_PORT ? number : -1;
}

/** The host without the brackets of an IPv6 reference. */
export function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** Whether a host, with or without brackets, is an IP address and not a name. */
export function isIpAddress(host: string): boolean {
  const bare = bareHost(host);
  return isIpv4(bare) || isIpv6(bare);
}

/** Whether two hosts, with or without brackets, are the same: address or name in any case; IPv6 in any spelling (RFC 4291 2.2). */
export function sameHost(a: string, b: string): boolean {
  if (a === b) return true;
  const left = bareHost(a).toLowerCase();
  const right = bareHost(b).toLowerCase();
  if (left === right) return true;
  const leftGroups = ipv6Groups(left);
  if (leftGroups === null) return false;
  const rightGroups = ipv6Groups(right);
  return rightGroups !== null && leftGroups.every((group, i) => group === rightGroups[i]);
}

/** The bytes of an IP address without brackets, 4 or 16; a zone does not count. Empty when the text is none. */
export function addressBytes(text: string): number[] {
  const zone = text.indexOf('%');
  const address = zone < 0 ? text : text.slice(0, zone);
  const groups = ipv6Groups(address);
  return groups === null ? (ipv4Bytes(address) ?? []) : groups.flatMap((group) => [group >> 8, group & 0xff]);
}

function isIpv4(text: string): boolean {
  return ipv4Bytes(text) !== null;
}

function isIpv6(text: string): boolean {
  return ipv6Groups(text) !== null;
}

function ipv4Bytes(text: string): number[] | null {
  const bytes: number[] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && text.charCodeAt(i) !== 0x2e) continue;
    const byte = i - start > 3 ? -1 : readDecimal(text, start, i, 256);
    if (byte < 0 || byte > 255 || bytes.length === 4) return null;
    bytes.push(byte);
    start = i + 1;
  }
  return bytes.length === 4 ? bytes : null;
}

/** The longest text of an IPv6 address: eight groups of four digits, the last two as an IPv4 address. */
const MAX_IPV6_CHARS = 45;

/** The eight groups of an IPv6 address (RFC 4291 2.2), or null when the text is none. Zone ids are not part of SIP. */
function ipv6Groups(text: string): number[] | null {
  if (text.length < 2 || text.length > MAX_IPV6_CHARS || !text.includes(':')) return null;
  const gap = text.indexOf('::');
  if (gap < 0) {
    const groups = colonGroups(text);
    return groups?.length === 8 ? groups : null;
  }
  const before = gap === 0 ? [] : colonGroups(text.slice(0, gap));
  const after = gap + 2 === text.length ? [] : colonGroups(text.slice(gap + 2));
  if (before === null || after === null || before.length + after.length > 7) return null;
  if (gap > 0 && text.lastIndexOf('.', gap) >= 0) return null;
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function colonGroups(text: string): number[] | null {
  const groups: number[] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && text.charCodeAt(i) !== 0x3a) continue;
    const part = text.slice(start, i);
    start = i + 1;
    const quad = i === text.length ? ipv4Bytes(part) : null;
    if (quad !== null) {
      groups.push(quad[0]! * 256 + quad[1]!, quad[2]! * 256 + quad[3]!);
      continue;
    }
    if (part === '' || part.length > 4) return null;
    for (let c = 0; c < part.length; c++) if (!isKind(part, c, CharKind.hex)) return null;
    groups.push(Number.parseInt(part, 16));
  }
  return groups;
}
