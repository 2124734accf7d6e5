import { CharKind, isKind } from './chars.ts';
import { sameHost } from './host.ts';
import { type Param, paramValue } from './params.ts';
import type { Uri } from './uri.ts';

/** Parameters that must stand in both URIs or in neither (RFC 3261 19.1.4). */
const PAIRED_PARAMS = ['user', 'ttl', 'method', 'maddr', 'transport'] as const;

/** Equality of RFC 3261 19.1.4 (and 3966 4 for tel). URIs of another scheme must be the same behind it. */
export function uriEquals(a: Uri, b: Uri): boolean {
  if (a.text === b.text) return true;
  if (a.scheme !== b.scheme) return false;
  if (a.scheme === 'tel') return telEquals(a, b);
  if (a.scheme !== 'sip' && a.scheme !== 'sips')
    return a.text.slice(a.scheme.length) === b.text.slice(b.scheme.length);
  return (
    samePart(a.user, b.user) &&
    samePart(a.password, b.password) &&
    sameHost(a.host, b.host) &&
    a.port === b.port &&
    PAIRED_PARAMS.every(
      (name) => (paramValue(a.params, name) === null) === (paramValue(b.params, name) === null),
    ) &&
    agrees(a.params, b.params) &&
    sameHeaders(a.headers, b.headers)
  );
}

/** A user or password: case-sensitive; an escape equals the char it stands for unless that is reserved. */
function samePart(a: string | null, b: string | null): boolean {
  if (a === null || b === null) return a === b;
  return a === b || plainEscapes(a) === plainEscapes(b);
}

/** Parameters in both URIs must have the same value, in any case; the others do not count. */
function agrees(a: readonly Param[], b: readonly Param[]): boolean {
  const values = byName(b);
  return a.every((param) => {
    const other = values.get(plainName(param));
    return other === undefined || other === plainValue(param);
  });
}

function byName(params: readonly Param[]): Map<string, string> {
  return new Map(params.map((param) => [plainName(param), plainValue(param)]));
}
function plainName(param: Param): string {
  return plainEscapes(param.name).toLowerCase();
}
function plainValue(param: Param): string {
  return plainEscapes(param.value ?? '').toLowerCase();
}

/** Header components must be the same, in any order. */
function sameHeaders(a: string | null, b: string | null): boolean {
  if (a === null || b === null) return (a ?? '') === (b ?? '');
  return a === b || sortedHeaders(a) === sortedHeaders(b);
}

function sortedHeaders(headers: string): string {
  return headers
    .split('&')
    .map((header) => {
      const plain = plainEscapes(header);
      const equals = plain.indexOf('=');
      return equals < 0 ? plain.toLowerCase() : plain.slice(0, equals).toLowerCase() + plain.slice(equals);
    })
    .toSorted()
    .join('&');
}

/** Undoes the escapes of chars that need none, and writes the others in upper case. */
function plainEscapes(text: string): string {
  if (!text.includes('%')) return text;
  let plain = '';
  for (let i = 0; i < text.length; i++) {
    const hex = text.slice(i + 1, i + 3);
    if (text[i] !== '%' || hex.length < 2 || !isKind(hex, 0, CharKind.hex) || !isKind(hex, 1, CharKind.hex)) {
      plain += text[i];
      continue;
    }
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    plain += isKind(char, 0, CharKind.unreserved) ? char : `%${hex.toUpperCase()}`;
    i += 2;
  }
  return plain;
}

/** The same number but for visual separators, and the same parameters in any order, all in any case (RFC 3966 4). */
function telEquals(a: Uri, b: Uri): boolean {
  if (digits(a.user) !== digits(b.user)) return false;
  const left = byName(a.params);
  const right = byName(b.params);
  if (left.size !== right.size) return false;
  for (const [name, value] of left) {
    const other = right.get(name);
    if (other === undefined) return false;
    // Values that are no numbers, such as a domain in phone-context, keep their dots and dashes.
    const isNumber = name === 'ext' || value.startsWith('+');
    if (isNumber ? digits(value) !== digits(other) : value !== other) return false;
  }
  return true;
}

function digits(number: string | null): string {
  let text = '';
  for (const char of (number ?? '').toLowerCase()) if (!'-.()'.includes(char)) text += char;
  return text;
}
