import { otherSpelling } from '../sip/header-names.ts';

/** A SIP message as a test looks at it: what is asked for is read from the text, and nothing is required to be well formed. */
export class TestMessage {
  readonly bytes: Buffer;
  /** Head and body as they stand there, decoded as UTF-8. */
  readonly text: string;
  /** `INVITE sip:bob@192.0.2.2 SIP/2.0` or `SIP/2.0 200 OK`. */
  readonly startLine: string;
  readonly body: string;
  /** Name and value of every header line, folds undone. */
  readonly #lines: readonly (readonly [string, string])[];

  constructor(message: Buffer | string) {
    this.bytes = Buffer.from(message);
    this.text = this.bytes.toString();
    const end = this.text.indexOf('\r\n\r\n');
    const head = end < 0 ? this.text : this.text.slice(0, end);
    this.body = end < 0 ? '' : this.text.slice(end + 4);
    const [startLine = '', ...lines] = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
    this.startLine = startLine;
    this.#lines = lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
  }

  /** `INVITE`; of a response null. */
  get method(): string | null {
    return this.status === null ? this.#word(0) : null;
  }

  /** The Request-URI; of a response null. */
  get uri(): string | null {
    return this.status === null ? this.#word(1) : null;
  }

  /** `486`; of a request null. */
  get status(): number | null {
    return this.startLine.startsWith('SIP/2.0 ') ? Number(this.#word(1)) : null;
  }

  /** The value of the first line of a header, whatever the case of its name and in full or compact form; null when there is none. */
  header(name: string): string | null {
    return this.headers(name)[0] ?? null;
  }

  /** The values of all lines of a header, in their order. A line that holds several values, with commas between, is one. */
  headers(name: string): string[] {
    return this.#lines.filter(([found]) => isSameHeader(found, name)).map(([, value]) => value);
  }

  #word(index: number): string {
    return this.startLine.split(' ')[index] ?? '';
  }
}

function isSameHeader(a: string, b: string): boolean {
  const name = a.toLowerCase();
  const other = b.toLowerCase();
  return name === other || otherSpelling(name) === other;
}
