import { type NameAddr, type Parsed, parseUri, type SipRequest } from '../../core/index.ts';
import { badRequest, type Fault } from './faults.ts';

/** The mask of every URI that can be checked, as in Kamailio. */
export const UriCheck = { requestUri: 1, from: 2, to: 4, contact: 8 } as const;

/** All URIs together. */
export const ALL_URI_CHECKS = 15;

/** Reads the URIs of a mask; returns the first fault, or null. */
export function uriFault(request: SipRequest, mask: number): Fault | null {
  if ((mask & UriCheck.requestUri) !== 0) {
    const uri = parseUri(request.originalUri);
    if (!uri.ok) return badRequest(`Request-URI: ${uri.reason}`);
  }
  const from = (mask & UriCheck.from) === 0 ? null : addressFault('From', request.parsedFrom());
  if (from !== null) return from;
  const to = (mask & UriCheck.to) === 0 ? null : addressFault('To', request.parsedTo());
  if (to !== null) return to;
  return (mask & UriCheck.contact) === 0 ? null : contactFault(request);
}

function addressFault(name: string, address: Parsed<NameAddr>): Fault | null {
  if (!address.ok) return badRequest(address.reason);
  const { uri } = address.value;
  return uri.ok ? null : badRequest(`${name}: ${uri.reason}`);
}

function contactFault(request: SipRequest): Fault | null {
  const contacts = request.contacts();
  if (!contacts.ok) return badRequest(`Contact: ${contacts.reason}`);
  if (contacts.value === '*') return null;
  for (const { uri } of contacts.value) if (!uri.ok) return badRequest(`Contact: ${uri.reason}`);
  return null;
}
