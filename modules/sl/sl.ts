import { defineModule } from '../../core/index.ts';
import { Replier } from './replier.ts';

/** Replies without transactions. */
export const sl = defineModule({
  name: 'sl',
  doc: 'Replies to requests without keeping a transaction, and through it where there is one.',
  depends: [],
  params: {},
  init: ({ core, log }) => new Replier(core, log),
  api: (replier) => ({ reply: replier.reply.bind(replier) }),
  pseudoVariables: {},
  functions: {
    sl_send_reply: {
      on: 'request',
      routes: ['request'],
      doc: 'Replies without a transaction, unless that has answered the request or sent it on: it decides then. False for an ACK, which is never answered, and when a final reply was sent before.',
      signature: '(code: number, reason: string): boolean',
      call: ({ scope, state }, code: number, reason: string) => state.stateless(scope, code, reason),
    },
    send_reply: {
      on: 'request',
      routes: ['request', 'failure'],
      doc: 'Replies through the transaction when the request has one, else without. False when a final reply was sent before.',
      signature: '(code: number, reason: string): boolean',
      call: ({ scope, state }, code: number, reason: string) => state.reply(scope, code, reason),
    },
    sl_reply_error: {
      on: 'request',
      routes: ['request'],
      doc: 'Replies 500 without a transaction, for when something went wrong here.',
      signature: '(): boolean',
      call: ({ scope, state }) => state.error(scope),
    },
  },
});

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    sl: typeof sl;
  }
}
