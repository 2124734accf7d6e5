import { createHash } from 'node:crypto';
import {
  type Call,
  type CoreServices,
  defineModule,
  type FlowTokens,
  param,
  type SipRequest,
  Slot,
  type Target,
  type Uri,
  uriParam,
} from '../../core/index.ts';
import { FlowTokenCodec, TOKEN_PREFIX } from './flow-token.ts';
import { isFirstHop, wantsFlow } from './markers.ts';

/** Length of a key made at the start, chars of 5 bits: 160 bits (RFC 5626 5.2). */
const KEY_CHARS = 32;
/** Length of what tells one start from another, chars of 5 bits. */
const RUN_CHARS = 6;

/** What routes have said about a request. */
const forced = new Slot<SipRequest, boolean>();

/** Set for requests that came with a Route of ours that has `ob`. */
const marked = new Slot<SipRequest, true>();

/** What the functions of this module need and know. */
export class Outbound implements FlowTokens {
  readonly #core: CoreServices;
  readonly #codec: FlowTokenCodec;

  constructor(core: CoreServices, secret: string) {
    this.#core = core;
    const key = secret === '' ? core.randomToken(KEY_CHARS) : secret;
    this.#codec = new FlowTokenCodec(createHash('sha256').update(key).digest(), core.randomToken(RUN_CHARS));
    core.ownRoutes.add((request, uri) => this.#read(request, uri));
    core.setFlowTokens(this);
    core.extensions.add('outbound');
  }

  force(request: SipRequest, on: boolean): void {
    forced.set(request, on);
  }

  tokenOf(request: SipRequest): string | null {
    const wants =
      forced.get(request) ?? ((marked.get(request) === true || wantsFlow(request)) && isFirstHop(request));
    return wants ? this.#codec.encode(request.received) : null;
  }

  /** A token that is not of the flow by which the request came says where it goes (RFC 5626 5.3). */
  #read(request: SipRequest, uri: Uri): void {
    const { user } = uri;
    const flow = user?.startsWith(TOKEN_PREFIX)
      ? this.#codec.decode(user, this.#core.transport.points)
      : null;
    const isOutgoing = flow === null || (flow.ok && isSource(request, flow.target));
    if (isOutgoing) {
      if (uriParam(uri, 'ob') !== null) marked.set(request, true);
    } else if (request.flow?.ok !== false) {
      request.nextHop = null;
      request.flow = flow;
    }
  }
}

function isSource({ received }: SipRequest, { point, address, port }: Target): boolean {
  return point === received.point && address === received.address && port === received.port;
}

/** Client-initiated connections, for the proxy that user agents are connected to (RFC 5626 5). */
export const outbound = defineModule({
  name: 'outbound',
  doc: 'Sends requests to user agents over the connections that they have opened themselves: flow tokens for Path and Record-Route (RFC 5626).',
  depends: [],
  params: {
    flow_token_secret: param.secret({
      doc: 'Key of the flow tokens, for tokens that stay good over a restart; without one, each start makes its own.',
      expected: 'a text of 20 chars or more',
      check: (text) => (text.length < 20 ? 'too short to be a key' : null),
    }),
  },
  init: ({ core, params }) => new Outbound(core, params.flow_token_secret.reveal()),
  pseudoVariables: {},
  functions: {
    force_outbound: {
      on: 'request',
      routes: ['request'],
      doc: 'Has the request come back by its flow whatever it says itself: `add_path` and `record_route` put a flow token into what they add. Call it before them.',
      signature: '(): void',
      call: ({ msg, state }: Call<Outbound, SipRequest>): void => state.force(msg, true),
    },
    force_no_outbound: {
      on: 'request',
      routes: ['request'],
      doc: 'Has no flow token made for the request, whatever it asks for.',
      signature: '(): void',
      call: ({ msg, state }: Call<Outbound, SipRequest>): void => state.force(msg, false),
    },
  },
});

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    outbound: typeof outbound;
  }
}
