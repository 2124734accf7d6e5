import type { Edits } from './edits.ts';
import { readDecimal } from './head-text.ts';
import { Header } from './header-names.ts';
import type { FlowRoute, ListenPoint } from './hop.ts';
import { lineSafeUri } from './line-safe-uri.ts';
import { type NameAddr, parseNameAddr } from './name-addr.ts';
import { type Parsed, parsed } from './result.ts';
import type { Frame } from './indexed-message.ts';
import { SipMessage } from './sip-message.ts';
import type { RequestLine } from './start-line.ts';
import { parseUri, type Uri } from './uri.ts';

/** The largest Max-Forwards (RFC 3261 20.22). */
const MAX_FORWARDS_LIMIT = 255;

/** One value of a Route or Record-Route header and where it stands. */
export interface RouteValue {
  readonly header: number;
  readonly nameAddr: NameAddr;
  /** Offsets in head of the value itself. */
  readonly start: number;
  readonly end: number;
}

/** The routes of a request that has none, which most are: one object for all. */
const NO_ROUTES: Parsed<readonly RouteValue[]> = parsed(Object.freeze([]));

export class SipRequest extends SipMessage {
  readonly kind = 'request';
  readonly method: string;
  /** The Request-URI as received. */
  readonly originalUri: string;
  /** Offsets of the received Request-URI in the head. */
  readonly uriStart: number;
  readonly uriEnd: number;
  /** The Request-URI to forward with; routes set it. */
  uri: string;
  /** Where a flow token in a Route of ours leads; null: there is none, or a next hop has been set since. */
  flow: FlowRoute | null = null;
  /** Listen point that a Route of ours names, to leave by where it fits; null: none does. */
  outPoint: ListenPoint | null = null;
  /** Set once Max-Forwards has been handled by a module; else forwarding does it. */
  maxForwardsDone = false;
  /** Whether `markReceived` has been here. */
  receivedMarked = false;
  /** Whether replies go to the source port though the top Via does not ask for it (`forceRport`). */
  rportForced = false;
  /** What modules keep with the request (`Slot`). */
  slots: unknown[] | null = null;
  #nextHop: string | null = null;
  #parsedUri: Parsed<Uri> | null = null;
  #parsedUriText = '';
  #routes: Parsed<readonly RouteValue[]> | null = null;
  constructor(line: Pick<RequestLine, 'method' | 'uriStart' | 'uriEnd'>, frame: Frame, edits?: Edits) {
    super(frame, edits);
    this.method = line.method;
    this.originalUri = frame.text.slice(line.uriStart, line.uriEnd);
    this.uriStart = line.uriStart;
    this.uriEnd = line.uriEnd;
    this.uri = this.originalUri;
  }

  /** The same request with changes of its own from here on: edits, Request-URI, next hop, what modules keep with it (one per branch). */
  fork(): SipRequest {
    const copy = new SipRequest(this, this, this.edits.fork());
    copy.uri = this.uri;
    copy.#nextHop = this.#nextHop;
    copy.flow = this.flow;
    copy.outPoint = this.outPoint;
    copy.newBody = this.newBody;
    copy.newContentType = this.newContentType;
    copy.maxForwardsDone = this.maxForwardsDone;
    copy.receivedMarked = this.receivedMarked;
    copy.rportForced = this.rportForced;
    copy.#routes = this.#routes;
    copy.slots = this.slots === null ? null : this.slots.slice();
    return copy;
  }

  override compact(): void {
    super.compact();
    this.#parsedUri = null;
    this.#parsedUriText = '';
  }

  /** Next hop URI set by routes ($du), or null. Setting it, to null too, leaves the flow of a token behind; a token that is false stays. */
  get nextHop(): string | null {
    return this.#nextHop;
  }
  set nextHop(uri: string | null) {
    this.#nextHop = uri;
    if (this.flow?.ok === true) this.flow = null;
  }

  /** `uri` parsed; cached by its text. */
  get parsedUri(): Parsed<Uri> {
    if (this.#parsedUri === null || this.#parsedUriText !== this.uri) {
      this.#parsedUriText = this.uri;
      this.#parsedUri = parseUri(this.uri);
    }
    return this.#parsedUri;
  }

  /** null when absent; -1 when it is not a number from 0 to 255 (the grammar allows any digits: larger counts as 255). */
  get maxForwards(): number | null {
    const i = this.find(Header.maxForwards);
    return i < 0 ? null : readDecimal(this.bytes, this.valueStart(i), this.valueEnd(i), MAX_FORWARDS_LIMIT);
  }

  /** All Route values that have not been removed with `removeRoute`, topmost first; a malformed Route is a fault. Cached. */
  routes(): Parsed<readonly RouteValue[]> {
    this.#routes ??= this.parseRoutes();
    return this.#routes;
  }

  private parseRoutes(): Parsed<readonly RouteValue[]> {
    if (this.find(Header.route) < 0) return NO_ROUTES;
    const routes: RouteValue[] = [];
    for (let header = this.find(Header.route); header >= 0; header = this.find(Header.route, header)) {
      const fault = this.eachValue(
        header,
        (start, end) => parseNameAddr(this, start, end),
        (nameAddr, start, end) => routes.push({ header, nameAddr, start, end }),
      );
      if (fault !== null) return fault;
    }
    return parsed(routes);
  }

  /** Removes Route value `i` of `routes()` by an edit (header line too when it was its only value); `routes()` then no longer has it. */
  removeRoute(i: number): void {
    const routes = this.routes();
    const route = routes.ok ? routes.value[i] : undefined;
    if (!routes.ok || route === undefined) return;
    const previous = routes.value[i - 1];
    const next = routes.value[i + 1];
    if (next?.header === route.header) this.edits.remove(route.start, next.start);
    else if (previous?.header === route.header) this.edits.remove(previous.end, route.end);
    else this.edits.remove(this.headerStart(route.header), this.headerEnd(route.header));
    this.#routes = parsed(routes.value.toSpliced(i, 1));
  }

  /** Adds a Route value at the end of the route set (strict routing, RFC 3261 16.6 step 6); `routes()` does not show it. */
  appendRoute(uriText: string): void {
    let last = -1;
    for (let i = this.find(Header.route); i >= 0; i = this.find(Header.route, i)) last = i;
    this.edits.insert(
      last < 0 ? this.headersEnd : this.headerEnd(last),
      `Route: <${lineSafeUri(uriText)}>\r\n`,
    );
  }
}
