import { defineModule, type SipRequest } from '../../core/index.ts';

/** A module for tests that sends requests on without state, and drops responses. */
export const forwarder = defineModule({
  name: 'forwarder',
  doc: 'Sends requests on without state.',
  depends: [],
  params: {},
  init: ({ core }) => core,
  pseudoVariables: {},
  functions: {
    forward: {
      on: 'request',
      routes: ['request'],
      doc: 'Sends the request on.',
      signature: '(): boolean | Promise<boolean>',
      call({ state, scope, msg }): boolean | Promise<boolean> {
        scope.settled = true;
        return state.forwarding.forwardStateless(msg);
      },
    },
    drop: {
      on: 'any',
      doc: 'Drops the response.',
      signature: '(): void',
      call({ scope }): void {
        scope.dropped = true;
      },
    },
  },
});

/** What handlers of these tests see: the module is not in the registry of types, since no program but the tests loads it. */
export interface ForwarderContext {
  readonly msg: SipRequest;
  readonly ksr: {
    readonly forwarder: { forward(): boolean | Promise<boolean>; drop(): void };
  };
}
