import { type ListenPoint, type SipRequest, Slot } from '../../core/index.ts';

/** What makes the header lines of a recording for a request that leaves by `out`. */
type Writer = (recording: Recording, out: ListenPoint) => string;

/** The Record-Route that a request is to leave with. Its lines are written when the request is printed, so they see later changes. */
export class Recording {
  readonly request: SipRequest;
  /** Whether it leaves with one. */
  on = false;
  /** Parameters for it: `;name=value...`, a byte string. */
  params = '';
  /** Token of the flow that the request came by, for requests against its direction; null: none is wanted (RFC 5626 5.3.2). */
  flowToken: string | null = null;
  #writer: Writer | null = null;
  #lines: ((out: ListenPoint) => string) | null = null;

  constructor(request: SipRequest) {
    this.request = request;
  }

  /** From now on the request leaves with the lines that `writer` makes, above all others. */
  begin(writer: Writer): void {
    this.on = true;
    const before = this.#lines;
    const { edits, headersStart } = this.request;
    if (before === null) edits.insert(headersStart, this.#linesBy(writer));
    else edits.reword(before, this.#linesBy(writer));
  }

  /** The same for a branch of the request, with changes of its own from here on. */
  fork(branch: SipRequest): Recording {
    const copy = new Recording(branch);
    copy.on = this.on;
    copy.params = this.params;
    copy.flowToken = this.flowToken;
    if (this.#writer !== null && this.#lines !== null) {
      branch.edits.reword(this.#lines, copy.#linesBy(this.#writer));
    }
    return copy;
  }

  #linesBy(writer: Writer): (out: ListenPoint) => string {
    this.#writer = writer;
    this.#lines = (out) => (this.on ? writer(this, out) : '');
    return this.#lines;
  }
}

const recordings = new Slot<SipRequest, Recording>();

/** The `Recording` of a request, made when first asked for; a branch begins with what its request has. */
export function recordingOf(request: SipRequest): Recording {
  const known = recordings.get(request);
  if (known?.request === request) return known;
  const recording = known === undefined ? new Recording(request) : known.fork(request);
  recordings.set(request, recording);
  return recording;
}

/** How Record-Route values are written: this module's parameters. */
export interface RecordRouteStyle {
  /** `;lr=on` rather than `;lr`. */
  readonly fullLr: boolean;
  readonly fromTag: boolean;
  readonly double: boolean;
}

/**
 * The Record-Route lines of a request that leaves by `out`. Two when it came in by another socket, that of the way out on top, so
 * that each side of the dialog reaches us where it can (RFC 5658). Where the request came or leaves
 * by a flow of its own, so do the later ones of its dialog: a token in the user part says so, and two tokens take two lines (RFC 5626 5.3).
 */
export function recordRouteLines(
  { request, params: added, flowToken: wayIn }: Recording,
  out: ListenPoint,
  style: RecordRouteStyle,
): string {
  const scheme = needsSips(request) ? 'sips' : 'sip';
  const { point } = request.received;
  const params = `${commonParams(request, style)}${added}`;
  const line = (at: ListenPoint, token: string | null, mark: string) => {
    const user = token === null ? '' : `${token}@`;
    return `Record-Route: <${scheme}:${user}${at.sentBy}${transportParam(at)}${mark}${params}>\r\n`;
  };
  // A branch that was sent elsewhere leaves the flow behind.
  const wayOut = request.flow?.ok === true && request.flow.target.point === out ? request.flow.token : null;
  const isDouble = wayIn !== null && wayOut !== null ? true : style.double && !isSamePlace(point, out);
  if (!isDouble) return line(out, wayOut ?? wayIn, '');
  return line(out, wayOut, ';r2=on') + line(point, wayIn, ';r2=on');
}

/** The same with an address given by the routes, whatever the socket. */
export function presetRecordRouteLine(
  address: string,
  { request, params }: Recording,
  style: RecordRouteStyle,
): string {
  return `Record-Route: <sip:${address}${commonParams(request, style)}${params}>\r\n`;
}

/** From tag as a URI parameter: tags may hold chars that parameters may not (RFC 3261 25.1, token and paramchar). */
export function ftagOf(request: SipRequest): string {
  return encodeURIComponent(request.fromTag);
}

function commonParams(request: SipRequest, style: RecordRouteStyle): string {
  const lr = style.fullLr ? ';lr=on' : ';lr';
  return style.fromTag && request.fromTag !== '' ? `${lr};ftag=${ftagOf(request)}` : lr;
}

/** RFC 3261 16.6 step 4: a SIPS request, or one whose next Route is SIPS, is recorded with a SIPS URI. */
function needsSips(request: SipRequest): boolean {
  const routes = request.routes();
  const top = routes.ok ? routes.value[0] : undefined;
  return isSips(request.uri) || (top !== undefined && isSips(top.nameAddr.uriText));
}

function isSips(uri: string): boolean {
  return uri.slice(0, 5).toLowerCase() === 'sips:';
}

function transportParam(point: ListenPoint): string {
  return point.protocol === 'udp' ? '' : `;transport=${point.protocol}`;
}

function isSamePlace(a: ListenPoint, b: ListenPoint): boolean {
  return a.protocol === b.protocol && a.sentBy === b.sentBy;
}
