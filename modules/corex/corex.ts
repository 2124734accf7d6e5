import {
  type CoreServices,
  defineModule,
  encodeText,
  errors,
  parseUri,
  promiseOf,
  type SipRequest,
} from '../../core/index.ts';

/** What routes may do with the core itself, without further modules. */
export const corex = defineModule({
  name: 'corex',
  doc: 'Functions of the core: forwarding without state (RFC 3261 16.11), dropping what is in hand.',
  depends: [],
  params: {},
  init: ({ core }) => core,
  pseudoVariables: {},
  functions: {
    forward: {
      doc: 'Sends the request on without state: to this URI, else to its next hop ($du, else the topmost Route, else the Request-URI). False: it could not be sent; nothing has been answered.',
      signature: '(uri?: string): Promise<boolean>',
      on: 'request',
      routes: ['request'],
      call({ state, scope, msg }, uri?: string): Promise<boolean> {
        scope.settled = true;
        return promiseOf(forward(state, msg, uri));
      },
    },
    drop: {
      doc: 'Lets what is in hand go no further: the response, but for a final one in an onreply handler, or in a branch handler the branch. The handler still has to return.',
      signature: '(): void',
      on: 'any',
      routes: ['reply', 'onreply', 'branch'],
      call({ scope }): void {
        scope.dropped = true;
      },
    },
  },
});

/** @throws ERR_URI_SYNTAX. */
function forward(core: CoreServices, request: SipRequest, uri?: string): boolean | Promise<boolean> {
  if (uri === undefined) return core.forwarding.forwardStateless(request);
  const nextHop = encodeText(uri);
  const parsed = parseUri(nextHop);
  if (!parsed.ok) throw errors.ERR_URI_SYNTAX('forward', JSON.stringify(uri), parsed.reason);
  const copy = request.fork();
  copy.nextHop = nextHop;
  return core.forwarding.forwardStateless(copy);
}

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    corex: typeof corex;
  }
}
