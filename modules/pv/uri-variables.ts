import { errors, type SipRequest, type Uri } from '../../core/index.ts';
import { type PvCall, readOnly, settable } from './declare.ts';
import { readText, writeUri } from './texts.ts';
import { domainOf, portOf, setDomain, setPort, setUser, transportOf, uriOf, userOf } from './uri-parts.ts';

/** The Request-URI as it stands now, as received, and the next hop. */
export const uriVariables = {
  $ru: settable(
    'Request-URI. Null in replies. Can be set to a valid URI.',
    ({ msg }) => (msg.kind === 'request' ? readText(msg.uri) : null),
    (call, value: string) => {
      requestOf(call, '$ru').uri = writeUri('$ru', value);
    },
  ),
  $rU: settable(
    'User of the Request-URI, the number of a tel URI and of one with user=phone, whose parameters such as ;npdi stay when it is set. Can be set; null removes it.',
    (call) => userOf(requestUri(call)),
    (call, value: string | number | null) => setUser(requestOf(call, '$rU'), value),
  ),
  $rd: settable(
    'Host of the Request-URI, IPv6 in brackets. Can be set: a tel URI becomes a SIP URI then.',
    (call) => domainOf(requestUri(call)),
    (call, value: string) => setDomain(requestOf(call, '$rd'), value),
  ),
  $rp: settable(
    'Port of the Request-URI, or the default one of its scheme and transport. Can be set; null removes it.',
    (call) => portOf(requestUri(call)),
    (call, value: number | string | null) => setPort(requestOf(call, '$rp'), value),
  ),
  $rP: readOnly('Transport of the Request-URI in lower case, by default udp, tls for sips.', (call) =>
    transportOf(requestUri(call)),
  ),
  $rz: readOnly('Scheme of the Request-URI, such as sip, sips or tel.', (call) => {
    const uri = requestUri(call);
    return uri === null ? null : uri.scheme;
  }),

  $ou: readOnly('Request-URI as received.', ({ msg }) =>
    msg.kind === 'request' ? readText(msg.originalUri) : null,
  ),
  $oU: readOnly('User of the Request-URI as received.', (call) => userOf(originalUri(call))),
  $od: readOnly('Host of the Request-URI as received.', (call) => domainOf(originalUri(call))),
  $op: readOnly('Port of the Request-URI as received, or the default one.', (call) =>
    portOf(originalUri(call)),
  ),

  $du: settable(
    'URI of the next hop, which goes before Route and Request-URI; null when none is set. Can be set to a valid URI; null unsets it.',
    ({ msg }) => (msg.kind === 'request' ? readText(msg.nextHop) : null),
    (call, value: string | null) => {
      requestOf(call, '$du').nextHop = value === null ? null : writeUri('$du', value);
    },
  ),
  $dd: readOnly('Host of $du.', (call) => domainOf(nextHop(call))),
  $dp: readOnly('Port of $du, or the default one of its scheme and transport.', (call) =>
    portOf(nextHop(call)),
  ),
  $dP: readOnly('Transport of $du in lower case, by default udp, tls for sips.', (call) =>
    transportOf(nextHop(call)),
  ),
} as const;

function requestUri({ msg }: PvCall): Uri | null {
  if (msg.kind !== 'request') return null;
  const parsed = msg.parsedUri;
  return parsed.ok ? parsed.value : null;
}

function originalUri({ msg }: PvCall): Uri | null {
  return msg.kind === 'request' ? uriOf(msg.originalUri) : null;
}

function nextHop({ msg }: PvCall): Uri | null {
  return msg.kind === 'request' ? uriOf(msg.nextHop) : null;
}

function requestOf({ msg }: PvCall, variable: string): SipRequest {
  if (msg.kind !== 'request') throw errors.ERR_PV_IN_REPLY(variable);
  return msg;
}
