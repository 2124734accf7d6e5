/** Headers whose values may stand in one line or in several (RFC 3261 7.3.1). */
const LISTS: ReadonlySet<string> = new Set(['via', 'route', 'record-route', 'path']);

/** A message as far as its meaning goes: header names in lower case, lists taken apart, ports that are the default left out. */
export interface Shown {
  start: string;
  readonly headers: Map<string, string[]>;
  readonly body: string;
}

/**
 * Shows what a message means, without the parser under test: the order of headers of different names, folding, and where a line of a
 * list breaks do not count. `own`: sent-by host of the proxy whose branches are its own affair.
 */
export function shown(text: string, own: string): Shown {
  const end = text.indexOf('\r\n\r\n');
  const [start = '', ...lines] = text
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const values = LISTS.has(name)
      ? value.split(/, *(?=<|SIP)/).map((each) => plain(name, each, own))
      : [value];
    headers.set(name, [...(headers.get(name) ?? []), ...values]);
  }
  return { start, headers, body: text.slice(end + 4) };
}

/** One value of a list, written in one way. */
function plain(name: string, value: string, own: string): string {
  const tight = value.replaceAll(/ *; */g, ';');
  if (name !== 'via') return tight.replace(/:5060(?=[;>])/, '').toLowerCase();
  const port = tight.startsWith('SIP/2.0/TLS') ? ':5061' : ':5060';
  const via = tight.replace(`${port};`, ';');
  return hostOf(via) === own ? via.replace(/;branch=[^;]*/, ';branch=*') : via;
}

/** The host in a Via value, an IPv6 address without brackets. */
export function hostOf(via: string): string {
  const [, six, host = ''] = /^\S+ (?:\[([^\]]*)\]|([^:;\s]+))/.exec(via) ?? [];
  return six ?? host;
}

/** Via values of a message as they stand, topmost first. */
export function viaValues(text: string): string[] {
  const unfolded = text.replaceAll(/\r\n[ \t]+/g, ' ');
  return [...unfolded.matchAll(/^Via: (.*)\r$/gm)].map(([, value = '']) => value);
}

export function branchOf(via: string): string {
  return /;branch=([^;\s]*)/.exec(via)?.[1] ?? '';
}

/** Method of a request, or status code of a response. */
export function kindOf(text: string): string {
  const [first = '', second = ''] = text.split(' ', 2);
  return first === 'SIP/2.0' ? second : first;
}

export function isResponse(text: string): boolean {
  return text.startsWith('SIP/2.0 ');
}
