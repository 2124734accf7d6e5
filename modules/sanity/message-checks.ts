import { Header, type HeaderId, parseUri, type SipRequest } from '../../core/index.ts';
import { authorizationFault, digestFault } from './credential-checks.ts';
import { badRequest, type Fault } from './faults.ts';

/** The mask of every message check, as in Kamailio. */
export const MessageCheck = {
  ruriSipVersion: 1,
  ruriScheme: 2,
  requiredHeaders: 4,
  viaSipVersion: 8,
  viaProtocol: 16,
  cseqMethod: 32,
  cseqValue: 64,
  contentLength: 128,
  expiresValue: 256,
  proxyRequire: 512,
  parseUris: 1024,
  digestCredentials: 2048,
  duplicatedTags: 4096,
  authorization: 8192,
  topVia: 16_384,
} as const;

/** All message checks together. */
export const ALL_MESSAGE_CHECKS = 32_767;

/** What a check looks at besides the request. */
export interface CheckOptions {
  /** Option tags, in lower case, that a Proxy-Require may name. */
  readonly extensions: ReadonlySet<string>;
}

type Check = (request: SipRequest, options: CheckOptions) => Fault | null;

/** In the order in which they are made: what others build on comes first. */
const CHECKS: readonly (readonly [mask: number, check: Check])[] = [
  [MessageCheck.topVia, topViaFault],
  [MessageCheck.ruriSipVersion, ruriSipVersionFault],
  [MessageCheck.ruriScheme, ruriSchemeFault],
  [MessageCheck.requiredHeaders, requiredHeadersFault],
  [MessageCheck.viaSipVersion, viaSipVersionFault],
  [MessageCheck.viaProtocol, viaProtocolFault],
  [MessageCheck.cseqMethod, cseqMethodFault],
  [MessageCheck.cseqValue, cseqValueFault],
  [MessageCheck.contentLength, contentLengthFault],
  [MessageCheck.expiresValue, expiresFault],
  [MessageCheck.proxyRequire, proxyRequireFault],
  [MessageCheck.digestCredentials, digestFault],
  [MessageCheck.duplicatedTags, duplicatedTagsFault],
  [MessageCheck.authorization, authorizationFault],
];

/** Makes the checks of a mask; returns the first fault, or null. `parseUris` is left to `uriFault`. */
export function messageFault(request: SipRequest, mask: number, options: CheckOptions): Fault | null {
  for (const [bit, check] of CHECKS) {
    const fault = (mask & bit) === 0 ? null : check(request, options);
    if (fault !== null) return fault;
  }
  return null;
}

function topViaFault(request: SipRequest): Fault | null {
  const via = request.parsedTopVia();
  return via.ok ? null : badRequest(via.reason);
}

function ruriSipVersionFault(request: SipRequest): Fault | null {
  const version = request.head.slice(request.uriEnd, request.headersStart).trim().toUpperCase();
  return version === 'SIP/2.0' ? null : { code: 505, reason: 'Version Not Supported', headers: '' };
}

/** The schemes this proxy routes. */
const SCHEMES: readonly string[] = ['sip', 'sips', 'tel'];

function ruriSchemeFault(request: SipRequest): Fault | null {
  const uri = parseUri(request.originalUri);
  // A malformed URI is for the check of URIs.
  if (!uri.ok || SCHEMES.includes(uri.value.scheme)) return null;
  return { code: 416, reason: 'Unsupported URI Scheme', headers: '' };
}

const REQUIRED: readonly (readonly [HeaderId, string])[] = [
  [Header.via, 'Via'],
  [Header.from, 'From'],
  [Header.to, 'To'],
  [Header.callId, 'Call-ID'],
  [Header.cseq, 'CSeq'],
];

function requiredHeadersFault(request: SipRequest): Fault | null {
  for (const [id, name] of REQUIRED) if (request.find(id) < 0) return badRequest(`no ${name}`);
  return null;
}

function viaSipVersionFault(request: SipRequest): Fault | null {
  const via = request.parsedTopVia();
  if (!via.ok) return badRequest(via.reason);
  const value = request.head.slice(via.value.start, via.value.end);
  if (/^SIP\s*\/\s*2\.0\s*\//i.test(value)) return null;
  return { code: 505, reason: 'Version Not Supported (Via)', headers: '' };
}

/** Transports that have a name in a Via (RFC 3261 25.1, RFC 4168, RFC 7118). */
const VIA_TRANSPORTS: readonly string[] = ['UDP', 'TCP', 'TLS', 'SCTP', 'TLS-SCTP', 'WS', 'WSS'];

function viaProtocolFault(request: SipRequest): Fault | null {
  const via = request.parsedTopVia();
  if (!via.ok) return badRequest(via.reason);
  return VIA_TRANSPORTS.includes(via.value.transport) ? null : badRequest('unknown transport in Via');
}

function cseqMethodFault(request: SipRequest): Fault | null {
  const cseq = request.parsedCSeq();
  if (!cseq.ok) return badRequest(cseq.reason);
  return cseq.value.method === request.method ? null : badRequest('CSeq of another method');
}

function cseqValueFault(request: SipRequest): Fault | null {
  const cseq = request.parsedCSeq();
  return cseq.ok ? null : badRequest(cseq.reason);
}

function contentLengthFault(request: SipRequest): Fault | null {
  const declared = request.first(Header.contentLength);
  if (declared === null) return null;
  if (!/^\d+$/.test(declared)) return badRequest('Content-Length is not a number');
  return Number(declared) === request.bodyLength ? null : badRequest('Content-Length of another body');
}

/** The bound of Expires, s (RFC 3261 20.19). */
const EXPIRES_LIMIT = 2 ** 32;

function expiresFault(request: SipRequest): Fault | null {
  for (let i = request.find(Header.expires); i >= 0; i = request.find(Header.expires, i)) {
    const value = request.value(i);
    if (!/^\d+$/.test(value) || Number(value) >= EXPIRES_LIMIT) {
      return badRequest('Expires is not a number below 2**32');
    }
  }
  return null;
}

/** RFC 3261 16.3 step 5: what is not supported is named in the reply. */
function proxyRequireFault(request: SipRequest, { extensions }: CheckOptions): Fault | null {
  const unsupported: string[] = [];
  for (let i = request.find(Header.proxyRequire); i >= 0; i = request.find(Header.proxyRequire, i)) {
    for (const part of request.value(i).split(',')) {
      const tag = part.trim();
      if (tag !== '' && !extensions.has(tag.toLowerCase())) unsupported.push(tag);
    }
  }
  if (unsupported.length === 0) return null;
  return { code: 420, reason: 'Bad Extension', headers: `Unsupported: ${unsupported.join(', ')}\r\n` };
}

/** Reading From and To refuses a second tag. */
function duplicatedTagsFault(request: SipRequest): Fault | null {
  for (const address of [request.parsedFrom(), request.parsedTo()]) {
    if (!address.ok) return badRequest(address.reason);
  }
  return null;
}
