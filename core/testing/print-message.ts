import { TestMessage } from './test-message.ts';

/** Header values by name: one line, several lines, or none. */
export type HeaderLines = Readonly<Record<string, string | readonly string[] | null>>;

/** What a message has beyond the usual. */
export interface MessageOptions {
  /** Headers by name, in the place of the usual ones of these names; null leaves one out. */
  readonly headers?: HeaderLines | undefined;
  readonly body?: string | undefined;
}

/** A message of some usual headers and of those that a test asks for: in their place where the name is the same, in any case, else behind them. */
export function printMessage(
  startLine: string,
  usual: HeaderLines,
  {
    headers = {},
    body = '',
  }: { readonly headers?: HeaderLines | undefined; readonly body?: string | undefined } = {},
): TestMessage {
  const given = new Map(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), { name, value }]),
  );
  const lines: string[] = [startLine];
  for (const [name, value] of Object.entries({
    ...usual,
    'Content-Length': String(Buffer.byteLength(body)),
  })) {
    const own = given.get(name.toLowerCase());
    lines.push(...linesOf(name, own === undefined ? value : own.value));
    given.delete(name.toLowerCase());
  }
  for (const { name, value } of given.values()) lines.push(...linesOf(name, value));
  return new TestMessage(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function linesOf(name: string, value: HeaderLines[string] | undefined): string[] {
  if (value === null || value === undefined) return [];
  const values: readonly string[] = typeof value === 'string' ? [value] : value;
  return values.map((each) => `${name}: ${each}`);
}
