import { encodeText, errors, parseUri, printUri, type SipRequest, uriParam } from '../../core/index.ts';

/**
 * Whether the Request-URI has a parameter: one without value, or with this very value (Kamailio: uri_param).
 */
export function hasUriParam(request: SipRequest, name: string, value: string | undefined): boolean {
  const uri = request.parsedUri;
  if (!uri.ok) return false;
  const found = uriParam(uri.value, encodeText(name).toLowerCase());
  return found === (value === undefined ? '' : encodeText(value));
}

/**
 * Adds `name=value` or `name` to the Request-URI, in front of its headers.
 * @throws ERR_URI_PARAM when the text would change more than that, ERR_URI_SYNTAX when the Request-URI is malformed.
 */
export function addUriParam(request: SipRequest, text: string): void {
  const old = request.parsedUri;
  if (!old.ok) throw errors.ERR_URI_SYNTAX('add_uri_param', JSON.stringify(request.uri), old.reason);
  const bytes = encodeText(text);
  const equals = bytes.indexOf('=');
  const name = equals === -1 ? bytes : bytes.slice(0, equals);
  const value = equals === -1 ? null : bytes.slice(equals + 1);
  const printed = printUri({ ...old.value, params: [...old.value.params, { name, value }] });
  const read = parseUri(printed);
  const isOne = read.ok && read.value.params.length === old.value.params.length + 1;
  // Read back, so that no text can reach into another part of the URI or the start line.
  if (!isOne || read.value.headers !== old.value.headers) {
    throw errors.ERR_URI_PARAM('add_uri_param', JSON.stringify(text), '`name=value`, other chars as %XX');
  }
  request.uri = printed;
}
