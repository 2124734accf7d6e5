import {
  type Call,
  type CoreServices,
  defineModule,
  encodeText,
  Header,
  parseNameAddr,
  parseUri,
  type SipRequest,
  type SipResponse,
  uriParam,
} from '../../core/index.ts';
import { addUriParam, hasUriParam } from './uri-params.ts';

/** What the functions of this module need. */
export interface SiputilsState {
  readonly core: CoreServices;
}

/** Questions about messages and URIs. */
export const siputils = defineModule({
  name: 'siputils',
  doc: 'Questions that routes ask about messages and URIs.',
  depends: [],
  params: {},
  init: ({ core }): SiputilsState => ({ core }),
  pseudoVariables: {},
  functions: {
    has_totag: {
      on: 'any',
      doc: 'Whether To has a tag: the message belongs to a dialog.',
      signature: '(): boolean',
      call: ({ msg }): boolean => msg.toTag !== '',
    },
    is_request: {
      on: 'any',
      doc: 'Whether the message in hand is a request.',
      signature: '(): boolean',
      call: ({ msg }): boolean => msg.kind === 'request',
    },
    is_reply: {
      on: 'any',
      doc: 'Whether the message in hand is a reply.',
      signature: '(): boolean',
      call: ({ msg }): boolean => msg.kind === 'response',
    },
    is_method: {
      on: 'any',
      doc: "Whether the method is one of those named, such as 'INVITE|BYE'. In replies: the method of the request answered.",
      signature: '(names: string): boolean',
      call: ({ msg }, names: string): boolean => {
        const method = msg.kind === 'request' ? msg.method : msg.cseq.method;
        // No method holds a bar (RFC 3261 25.1, token).
        return names === method || `|${names}|`.includes(`|${method}|`);
      },
    },
    is_first_hop: {
      on: 'any',
      doc: 'Whether the sender is the first element on the way. Of a request: it has one Via. Of a reply: it has no Record-Route, or its topmost one is ours and it did not come from there.',
      signature: '(): boolean',
      call: ({ msg, state }: Call<SiputilsState>): boolean =>
        msg.kind === 'request' ? isFirstHopOf(msg) : isFirstHopOfReply(msg, state.core),
    },
    is_gruu: {
      on: 'request',
      doc: 'Whether the Request-URI is a GRUU: it has a gr parameter (RFC 5627).',
      signature: '(): boolean',
      call: ({ msg }): boolean => msg.parsedUri.ok && uriParam(msg.parsedUri.value, 'gr') !== null,
    },
    is_myself: {
      on: 'any',
      doc: 'Whether a URI names this proxy: a listen address, what it advertises, or an alias.',
      signature: '(uri: string): boolean',
      call: ({ state }, text: string): boolean => {
        const uri = parseUri(encodeText(text));
        return uri.ok && state.core.myself.isMyselfUri(uri.value);
      },
    },
    is_myself_ruri: {
      on: 'request',
      doc: 'Whether the Request-URI names this proxy: nobody else will answer it (Kamailio: uri == myself).',
      signature: '(): boolean',
      call: ({ msg, state }): boolean =>
        msg.parsedUri.ok && state.core.myself.isMyselfUri(msg.parsedUri.value),
    },
    uri_param: {
      on: 'request',
      doc: 'Whether the Request-URI has a parameter of this name without value, or with `value` when that is given.',
      signature: '(name: string, value?: string): boolean',
      call: ({ msg }, name: string, value?: string): boolean => hasUriParam(msg, name, value),
    },
    add_uri_param: {
      on: 'request',
      doc: 'Adds a parameter such as `name=value` to the Request-URI.',
      signature: '(text: string): boolean',
      call: ({ msg }, text: string): boolean => {
        addUriParam(msg, text);
        return true;
      },
    },
    is_e164: {
      on: 'any',
      doc: 'Whether a text is a number of E.164: a plus and 2 to 15 digits.',
      signature: '(text: string): boolean',
      call: (_call, text: string): boolean => /^\+\d{2,15}$/.test(text),
    },
    is_tel_number: {
      on: 'any',
      doc: 'Whether a text is a telephone number: digits, with a plus in front or not.',
      signature: '(text: string): boolean',
      call: (_call, text: string): boolean => /^\+?\d+$/.test(text),
    },
  },
});

function isFirstHopOf(request: SipRequest): boolean {
  const vias = request.vias();
  return vias.ok && vias.value.length === 1;
}

function isFirstHopOfReply(response: SipResponse, core: CoreServices): boolean {
  const value = response.first(Header.recordRoute);
  // As in Kamailio: replies within a dialog mostly have none, and their Contact is the remote target from now on.
  if (value === null) return true;
  const top = parseNameAddr(value);
  if (!top.ok || !top.value.uri.ok) return false;
  const uri = top.value.uri.value;
  // A reply that this proxy sent to itself came from the next instance of it on the way, not from the callee.
  const { address, port } = response.received;
  const isLoop = uri.host.replace(/^\[|\]$/g, '') === address && (uri.port ?? SIP_PORT) === port;
  return core.myself.isMyselfUri(uri) && !isLoop;
}

/** Default port of a SIP URI (RFC 3261 19.1.2). */
const SIP_PORT = 5060;

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    siputils: typeof siputils;
  }
}
