import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';
import { headText } from '../sip/head-text.ts';
import type { Protocol } from '../sip/hop.ts';
import { reasonPhrase } from '../sip/reply.ts';
import { parseUri, type Uri } from '../sip/uri.ts';
import { parseVia } from '../sip/via.ts';
import { bracketed } from '../transport/addresses.ts';
import { ackOf, cancelOf, type Dialog, dialogOf, isTagged } from './dialog.ts';
import { type HeaderLines, type MessageOptions, printMessage } from './print-message.ts';
import { placeOf, type Station } from './simulated-network.ts';
import { TestMessage } from './test-message.ts';

/** Messages that wait to be looked at. */
const MAX_UNREAD = 10_000;

/** How what was given by mistake is shown. */
const SHORT = { depth: -1 };

/** What a user agent needs of its surroundings. */
export interface Surroundings {
  /** Numbers that no other message of this test has. */
  readonly serial: () => number;
  /** Sends to an address, or to the proxy, and comes back once all that this set off has come to rest. */
  readonly send: (
    message: TestMessage,
    by: { readonly to: Uri | null; readonly from: UserAgent },
  ) => Promise<void>;
  /** Sends to the proxy and waits for nothing. */
  readonly sendAtOnce: (message: TestMessage, from: UserAgent) => void;
}

/**
 * A phone, a gateway or another proxy, as a test plays it: it sends what it is told and keeps what it receives. Of itself it only acknowledges refusals of an
 * INVITE, as every client transaction does (RFC 3261 17.1.1.3).
 */
export class UserAgent implements Station {
  /** Its SIP URI, which is its Contact. */
  readonly uri: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly #surroundings: Surroundings;
  readonly #unread: TestMessage[] = [];
  /** Texts of all that came: what comes again is a retransmission. */
  readonly #seen = new Set<string>();
  /** INVITEs that were sent, by the branch of their Via. */
  readonly #invites = new Map<string, TestMessage>();
  readonly #sent = new WeakSet<TestMessage>();
  readonly #came = new WeakSet<TestMessage>();
  /** The last CSeq number by Call-ID. */
  readonly #cseqs = new Map<string, number>();
  /** The tag of this side by Call-ID. */
  readonly #tags = new Map<string, string>();

  /** @throws Error for what is no SIP URI with a numeric address. */
  constructor(uri: string, surroundings: Surroundings) {
    const parsed = parseUri(uri);
    const place = parsed.ok ? placeOf(parsed.value) : null;
    if (place === null)
      throw new Error(
        `a user agent is named by a SIP URI such as sip:alice@192.0.2.1;transport=tcp, not ${uri}`,
      );
    this.uri = uri;
    this.protocol = place.protocol;
    this.address = place.address;
    this.port = place.port;
    this.#surroundings = surroundings;
  }

  /** What has come and was not taken by `next` yet, in order; retransmissions do not count. */
  get unread(): readonly TestMessage[] {
    return this.#unread;
  }

  /**
   * Sends a request and comes back, with it, when the proxy has nothing to do any more.
   *
   * `to` is a URI; or a message of the dialog that the request belongs to, whose Contact and Record-Route say where it goes: a response that this user agent
   * received, or a request that it received and answered. A CANCEL is for the INVITE that was sent, an ACK for the 2xx that came.
   *
   * @throws Error when a handler failed meanwhile, or the message makes no dialog.
   */
  async send(method: string, to: string | TestMessage, options: MessageOptions = {}): Promise<TestMessage> {
    if (typeof to === 'string') return this.#sendInDialog(method, this.#outside(to), options);
    if (!(to instanceof TestMessage))
      throw new Error(
        `send(method, to): a URI such as sip:bob@192.0.2.2 or a message says where ${method} goes, not ${inspect(to, SHORT)}`,
      );
    const isSent = this.#sent.has(to);
    if (method === 'CANCEL') {
      if (!isSent) throw new Error(`a CANCEL needs the INVITE that ${this.uri} sent, not ${to.startLine}`);
      return this.#sendMessage(cancelOf(to, options), null);
    }
    if (isSent)
      throw new Error(`${method} needs a message that came, or a URI; this was sent: ${to.startLine}`);
    if (!this.#came.has(to)) throw new Error(`this message did not come to ${this.uri}: ${to.startLine}`);
    const dialog = dialogOf(to, this.#tags.get(to.header('Call-ID') ?? '') ?? '');
    return this.#sendInDialog(method, dialog, options);
  }

  /**
   * Answers a request that came and comes back, with the response, when the proxy has nothing to do any more. Via, Record-Route, From, To, Call-ID and CSeq are those of the
   * request; all but 100 have a To tag and a Contact.
   *
   * @throws Error when a handler failed meanwhile, for a message that is no request which came to this user agent, and for what is no status.
   */
  async reply(
    request: TestMessage,
    status: number,
    { reason = reasonPhrase(status), headers, body }: MessageOptions & { readonly reason?: string } = {},
  ): Promise<TestMessage> {
    if (!this.#came.has(request) || request.method === null) {
      const given = request instanceof TestMessage ? request.startLine : inspect(request, SHORT);
      throw new Error(`reply needs a request that came to ${this.uri}, not ${given}`);
    }
    if (!Number.isInteger(status) || status < 100 || status > 699)
      throw new Error(`reply: expected a status from 100 to 699, not ${inspect(status)}`);
    const to = request.header('To') ?? '';
    const tagged =
      status === 100 || isTagged(to) ? to : `${to};tag=${this.#tagOf(request.header('Call-ID') ?? '')}`;
    const usual: HeaderLines = {
      Via: request.headers('Via'),
      ...(status < 300 && status > 100 && { 'Record-Route': request.headers('Record-Route') }),
      From: request.headers('From'),
      To: tagged,
      'Call-ID': request.headers('Call-ID'),
      CSeq: request.headers('CSeq'),
      ...(status !== 100 && { Contact: `<${this.uri}>` }),
    };
    return this.#sendMessage(printMessage(`SIP/2.0 ${status} ${reason}`, usual, { headers, body }), null);
  }

  /** Sends a message as it stands: one written by hand (its lines may end in LF), or one that was sent before, once more. */
  async write(message: string | Buffer | TestMessage): Promise<TestMessage> {
    if (message instanceof TestMessage) return this.#sendMessage(message, null);
    const bytes = typeof message === 'string' ? message.replaceAll(/\r?\n/g, '\r\n') : message;
    return this.#sendMessage(new TestMessage(bytes), null);
  }

  /**
   * Takes the next message that came: a request of this method, or a response of this status. A `100 Trying` before it is passed over.
   *
   * @throws AssertionError when another message is next, or none.
   */
  next(wanted: string | number): TestMessage {
    const at = this.#unread.findIndex(({ status }) => wanted === 100 || status !== 100);
    const message = this.#unread[at];
    if (message !== undefined && (message.status ?? message.method) === wanted) {
      this.#unread.splice(0, at + 1);
      return message;
    }
    const came = this.#unread.map(({ startLine }) => startLine);
    throw new AssertionError({
      message: `${this.uri} expected ${wanted} next, and ${came.length === 0 ? 'nothing came' : `this came: ${came.join(', ')}`}`,
      actual: came,
      expected: wanted,
      operator: 'next',
    });
  }

  /** Takes in what the network brings. */
  receive(message: TestMessage): void {
    this.#acknowledge(message);
    if (this.#seen.has(message.text)) return;
    if (this.#unread.length === MAX_UNREAD)
      throw new Error(`${this.uri} has ${MAX_UNREAD} messages that no test looked at`);
    this.#seen.add(message.text);
    this.#came.add(message);
    this.#unread.push(message);
  }

  #acknowledge(response: TestMessage): void {
    if (response.status === null || response.status < 300) return;
    // A CANCEL has the branch of its INVITE.
    const invite = this.#invites.get(branchOf(response));
    if (invite !== undefined && /\bINVITE$/.test(response.header('CSeq') ?? ''))
      this.#surroundings.sendAtOnce(ackOf(invite, response), this);
  }

  #outside(uri: string): Dialog {
    const callId = `call${this.#surroundings.serial()}@${this.address}`;
    return {
      uri,
      from: `<${this.#addressOfRecord}>;tag=${this.#tagOf(callId)}`,
      to: `<${uri}>`,
      callId,
      cseq: 0,
      routes: [],
      next: null,
    };
  }

  get #addressOfRecord(): string {
    return this.uri.replace(/;.*$/, '');
  }

  #tagOf(callId: string): string {
    const known = this.#tags.get(callId);
    if (known !== undefined) return known;
    const tag = `tag${this.#surroundings.serial()}`;
    this.#tags.set(callId, tag);
    return tag;
  }

  #sendInDialog(
    method: string,
    { uri, from, to, callId, cseq, routes, next }: Dialog,
    options: MessageOptions,
  ): Promise<TestMessage> {
    const last = Math.max(cseq, this.#cseqs.get(callId) ?? 0);
    // The ACK of a 2xx has the number of its INVITE (RFC 3261 13.2.2.4).
    const number = method === 'ACK' && cseq > 0 ? cseq : last + 1;
    this.#cseqs.set(callId, Math.max(last, number));
    const usual: HeaderLines = {
      Via: `SIP/2.0/${this.protocol.toUpperCase()} ${bracketed(this.address)}:${this.port};branch=z9hG4bK${this.#surroundings.serial()}`,
      ...(routes.length > 0 && { Route: routes }),
      'Max-Forwards': '70',
      From: from,
      To: to,
      'Call-ID': callId,
      CSeq: `${number} ${method}`,
      Contact: `<${this.uri}>`,
    };
    return this.#sendMessage(printMessage(`${method} ${uri} SIP/2.0`, usual, options), next);
  }

  async #sendMessage(message: TestMessage, to: Uri | null): Promise<TestMessage> {
    this.#sent.add(message);
    if (message.method === 'INVITE') this.#invites.set(branchOf(message), message);
    await this.#surroundings.send(message, { to, from: this });
    return message;
  }
}

/** The branch of the top Via; '' when there is none. */
function branchOf(message: TestMessage): string {
  const via = message.header('Via') ?? '';
  const parsed = parseVia(headText(via), 0, via.length);
  return parsed.ok ? (parsed.value.branch ?? '') : '';
}
