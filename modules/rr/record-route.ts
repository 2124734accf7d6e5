import { type ListenPoint, type SipRequest, Slot } from '../../core/index.ts';

/** The Record-Route that a request is to leave with. Its line is written when the request is printed, so it sees later changes. */
export interface Recording {
  /** Whether it leaves with one. */
  on: boolean;
  /** Parameters for it: `;name=value...`, a byte string. */
  params: string;
  /** Token of the flow that the request came by, for requests against its direction; null: none is wanted (RFC 5626 5.3.2). */
  flowToken: string | null;
}

const recordings = new Slot<SipRequest, Recording>();

/** The `Recording` of a request, made when first asked for. */
export function recordingOf(request: SipRequest): Recording {
  let recording = recordings.get(request);
  if (recording === undefined) {
    recording = { on: false, params: '', flowToken: null };
    recordings.set(request, recording);
  }
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
 * that each side of the dialog reaches us where it can (RFC 5658); '' once `remove_record_route` was called. Where the request came or leaves
 * by a flow of its own, so do the later ones of its dialog: a token in the user part says so, and two tokens take two lines (RFC 5626 5.3).
 */
export function recordRouteText(
  request: SipRequest,
  recording: Recording,
  style: RecordRouteStyle,
): (out: ListenPoint) => string {
  return (out) => recordRouteLines(request, out, recording, style);
}

function recordRouteLines(
  request: SipRequest,
  out: ListenPoint,
  recording: Recording,
  style: RecordRouteStyle,
): string {
  if (!recording.on) return '';
  const scheme = needsSips(request) ? 'sips' : 'sip';
  const { point } = request.received;
  const params = `${commonParams(request, style)}${recording.params}`;
  const line = (at: ListenPoint, token: string | null, mark: string) => {
    const user = token === null ? '' : `${token}@`;
    return `Record-Route: <${scheme}:${user}${at.sentBy}${transportParam(at)}${mark}${params}>\r\n`;
  };
  const wayIn = recording.flowToken;
  // A branch that was sent elsewhere leaves the flow behind.
  const wayOut = request.flow?.ok === true && request.flow.target.point === out ? request.flow.token : null;
  const isDouble = wayIn !== null && wayOut !== null ? true : style.double && !isSamePlace(point, out);
  if (!isDouble) return line(out, wayOut ?? wayIn, '');
  return line(out, wayOut, ';r2=on') + line(point, wayIn, ';r2=on');
}

/** The same with an address given by the routes, whatever the socket. */
export function presetRecordRouteLine(
  address: string,
  request: SipRequest,
  recording: Recording,
  style: RecordRouteStyle,
): string {
  if (!recording.on) return '';
  return `Record-Route: <sip:${address}${commonParams(request, style)}${recording.params}>\r\n`;
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
