import {
  Header,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  type Uri,
  uriParam,
} from '../../core/index.ts';
import { defaultPort, isPrivate, isSameHost } from './addresses.ts';
import { contactUris } from './contacts.ts';

type Message = SipRequest | SipResponse;

/** Every test by its flag, as in Kamailio; the cheap ones first. */
const TESTS: readonly (readonly [flag: number, test: (msg: Message) => boolean])[] = [
  [32, ({ received }) => isPrivate(received.address)],
  [64, ({ received: { point } }) => point.protocol === 'ws' || point.protocol === 'wss'],
  [2, (msg) => msg.kind === 'request' && !isSameHost(msg.topVia.host, msg.received.address)],
  [4, (msg) => msg.kind === 'request' && isPrivate(msg.topVia.host)],
  [16, (msg) => msg.kind === 'request' && viaPort(msg) !== msg.received.port],
  [1, (msg) => contactUris(msg).some(({ uri }) => isPrivate(uri.host))],
  [128, (msg) => contactUris(msg).some(({ uri }) => portOf(uri) !== msg.received.port)],
  [8, hasPrivateMedia],
];

/** All flags together. */
export const ALL_FLAGS = 255;

/** Whether one of the tests whose flags are added up says that the sender is behind a NAT. */
export function isBehindNat(msg: Message, flags: number): boolean {
  return TESTS.some(([flag, test]) => (flags & flag) !== 0 && test(msg));
}

function viaPort({ topVia }: SipRequest): number {
  return topVia.port ?? defaultPort(topVia.transport);
}

function portOf(uri: Uri): number {
  return uri.port ?? defaultPort(uri.scheme === 'sips' ? 'tls' : (uriParam(uri, 'transport') ?? ''));
}

/** A connection line of SDP (RFC 8866 5.7): what stands behind a slash is not part of the address. */
const CONNECTION = /^c=IN IP[46] ([^\s/]+)/gm;

/** Whether a connection line of the session description, alone or in a multipart body, has a private address. */
function hasPrivateMedia(msg: SipMessage): boolean {
  const type = msg.first(Header.contentType);
  if (type === null || !/^(?:application\/sdp|multipart\/)/i.test(type)) return false;
  for (const [, address = ''] of msg.body.toString('latin1').matchAll(CONNECTION)) {
    if (isPrivate(address)) return true;
  }
  return false;
}
