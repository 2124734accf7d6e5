import {
  type Call,
  type CoreServices,
  defineModule,
  encodeText,
  errors,
  param,
  parseUri,
  type SipRequest,
  Slot,
} from '../../core/index.ts';
import { pathLines } from './path-lines.ts';
import { readReceived } from './received.ts';

/** What the functions of this module need and know. */
export interface PathState {
  readonly core: Pick<CoreServices, 'flowTokens'>;
  readonly enableR2: boolean;
}

/** Set for requests that leave with a Path from here. */
const marked = new Slot<SipRequest, true>();

/** Path of registrations through this proxy (RFC 3327). */
export const path = defineModule({
  name: 'path',
  doc: 'Puts this proxy into the Path of a registration, so that requests to the user agent come through it (RFC 3327).',
  depends: [],
  params: {
    use_received: param.bool({
      default: false,
      doc: 'Send requests whose Route from here has `received` to the place that it names, when no other Route stands behind it. Whoever writes the Route chooses the place: only for Routes that come from your registrar.',
    }),
    enable_r2: param.bool({
      default: false,
      doc: 'Add two Paths, each with `;r2=on`, when a request leaves by another socket than it came in by.',
    }),
  },
  init({ core, params }): PathState {
    core.extensions.add('path');
    if (params.use_received) core.ownRoutes.add(readReceived);
    return { core, enableR2: params.enable_r2 };
  },
  pseudoVariables: {},
  functions: {
    add_path: {
      on: 'request',
      routes: ['request'],
      doc: 'Adds a Path above all others with the address of the socket that the request will leave by, `Path: <sip:user@address;lr>`. With `outbound`, without a user and where the user agent asks for it, `Path: <sip:token@address;lr;ob>` (RFC 5626). False when the request has one from here already.',
      signature: '(user?: string): boolean',
      call: (call: Call<PathState, SipRequest>, user?: string): boolean =>
        addPath(call, 'add_path', { user, withSource: false }),
    },
    add_path_received: {
      on: 'request',
      routes: ['request'],
      doc: 'The same with the place that the request came from in a parameter, `;received=sip:198.51.100.7:5070`.',
      signature: '(user?: string): boolean',
      call: (call: Call<PathState, SipRequest>, user?: string): boolean =>
        addPath(call, 'add_path_received', { user, withSource: true }),
    },
  },
});

/** @throws ERR_URI_SYNTAX when the user is none. */
function addPath(
  { msg, state, log }: Call<PathState, SipRequest>,
  name: string,
  { user, withSource }: { readonly user: string | undefined; readonly withSource: boolean },
): boolean {
  const given = userOf(name, user ?? '');
  if (marked.get(msg) === true) {
    log.warn(`${name}: the request has a Path from here already`, { callId: msg.callId });
    return false;
  }
  marked.set(msg, true);
  const vias = msg.vias();
  const options = {
    user: given,
    // As in Kamailio: a user that routes give stays.
    flowToken: given === '' ? (state.core.flowTokens?.tokenOf(msg) ?? null) : null,
    isFirstHop: vias.ok && vias.value.length === 1,
    withSource,
    double: state.enableR2,
  };
  msg.edits.insert(msg.headersStart, (out) => pathLines(msg, out, options));
  return true;
}

/** The user as bytes, once read back as the user of a URI and nothing else of it. */
function userOf(name: string, user: string): string {
  if (user === '') return '';
  const bytes = encodeText(user);
  const uri = parseUri(`sip:${bytes}@host`);
  if (uri.ok && uri.value.user === bytes && uri.value.host === 'host') return bytes;
  const reason = uri.ok ? 'more than a user, other chars as %XX' : uri.reason;
  throw errors.ERR_URI_SYNTAX(name, JSON.stringify(`sip:${user}@...`), reason);
}

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    path: typeof path;
  }
}
