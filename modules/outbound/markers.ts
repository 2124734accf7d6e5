import { Header, headerParam, type SipRequest, uriParam } from '../../core/index.ts';

/** Whether we are the first hop: there is one Via alone, that of the user agent (RFC 5626 5.1). */
export function isFirstHop(request: SipRequest): boolean {
  const vias = request.vias();
  return vias.ok && vias.value.length === 1;
}

/**
 * Whether the user agent asks to be reached by the flow of the request: a REGISTER by a `reg-id` in Contact (RFC 5626 5.1), others by `ob` in
 * a Contact URI (5.3.2).
 */
export function wantsFlow(request: SipRequest): boolean {
  if (request.find(Header.contact) < 0) return false;
  const contacts = request.contacts();
  if (!contacts.ok || contacts.value === '*') return false;
  const isRegister = request.method === 'REGISTER';
  return contacts.value.some(({ params, uri }) =>
    isRegister ? headerParam(params, 'reg-id') !== null : uri.ok && uriParam(uri.value, 'ob') !== null,
  );
}
