import {
  defineModule,
  errors,
  type HandlerName,
  param,
  type Scope,
  type SipRequest,
} from '../../core/index.ts';
import { relay } from './relay.ts';
import { Tm } from './tm-layer.ts';
import { Transaction } from './transaction.ts';

/** Kamailio's way to disarm a handler: `t_on_failure('0')`; null does the same here. */
function armed(name: string | null): string | null {
  return name === '0' ? null : name;
}

function transactionOf(scope: Scope): Transaction | null {
  return scope.transaction instanceof Transaction ? scope.transaction : null;
}

/** Whether the transaction of the request in hand, or the INVITE that a CANCEL means, is here. */
function checkTransaction(tm: Tm, scope: Scope, request: SipRequest): boolean {
  if (request.method === 'CANCEL') return tm.invited(request) !== null;
  // A retransmission never gets as far as a handler, nor does the ACK of a reply sent from here.
  return scope.transaction !== null && request.method !== 'ACK' && scope.route !== 'request';
}

export const tm = defineModule({
  name: 'tm',
  doc: 'Transactions: retransmission, matching, timers, relaying with state (RFC 3261 16 and 17, RFC 6026).',
  depends: [],
  params: {
    fr_timer: param.int({
      default: 32_000,
      min: 500,
      max: 600_000,
      unit: 'ms',
      doc: 'Wait for the first response to an INVITE, and for the final response to other requests (timers B and F).',
    }),
    fr_inv_timer: param.int({
      default: 185_000,
      min: 1_000,
      max: 86_400_000,
      unit: 'ms',
      doc: 'Wait for the final response to an INVITE after a provisional one; each further provisional response starts it anew (timer C).',
    }),
    wt_timer: param.int({
      default: 32_000,
      min: 500,
      max: 600_000,
      unit: 'ms',
      doc: 'How long a transaction that has been answered stays in memory to absorb retransmissions (timers D, H, J, L and M).',
    }),
    retr_timer1: param.int({
      default: 500,
      min: 10,
      max: 10_000,
      unit: 'ms',
      doc: 'First interval between retransmissions; it doubles each time (T1).',
    }),
    retr_timer2: param.int({
      default: 4_000,
      min: 10,
      max: 60_000,
      unit: 'ms',
      doc: 'Longest interval between retransmissions of requests other than INVITE, and of final replies to INVITE (T2).',
    }),
    auto_inv_100: param.bool({
      default: true,
      doc: 'Whether t_relay answers an INVITE with 100 at once; otherwise 100 is sent when nothing else was within 200 ms.',
    }),
    max_transactions: param.int({
      default: 500_000,
      min: 1,
      max: 10_000_000,
      unit: 'count',
      doc: 'Transactions in memory; above it new requests are answered with 503.',
    }),
  },

  init({ params, core, log }) {
    const layer = new Tm({
      core,
      log,
      timing: {
        t1Ms: params.retr_timer1,
        t2Ms: params.retr_timer2,
        responseMs: params.fr_timer,
        finalMs: params.fr_inv_timer,
        waitMs: params.wt_timer,
      },
      maxTransactions: params.max_transactions,
      autoTrying: params.auto_inv_100,
    });
    core.setTransactionLayer(layer);
    return layer;
  },
  stop: (layer) => layer.stop(),

  pseudoVariables: {},
  functions: {
    t_relay: {
      doc: 'Sends the request on to its next hop ($du, else the topmost Route, else the Request-URI), keeping state. False: it could not be sent, and has been answered with an error.',
      signature: '(): boolean | Promise<boolean>',
      on: 'request',
      routes: ['request', 'failure'],
      call: ({ state, scope, msg }) => relay(state, scope, msg),
    },
    t_newtran: {
      doc: 'Whether the request has a transaction. It exists before the handler runs: kept for routes that come from Kamailio.',
      signature: '(): boolean',
      on: 'request',
      routes: ['request'],
      call: ({ scope }) => scope.transaction !== null,
    },
    t_check_trans: {
      doc: 'For a CANCEL: whether the INVITE that it means is here. For other requests in a request handler: false, since retransmissions and ACKs of replies from here never reach it.',
      signature: '(): boolean',
      on: 'request',
      call: ({ state, scope, msg }) => checkTransaction(state, scope, msg),
    },
    t_reply: {
      doc: 'Answers the request with state: the reply is sent again when the request is. False: it has a final reply already.',
      signature: '(code: number, reason: string): boolean',
      on: 'request',
      routes: ['request', 'failure'],
      call({ state, scope }, code: number, reason: string): boolean {
        if (!Number.isInteger(code) || code < 100 || code > 699) throw errors.ERR_REPLY_CODE('t_reply', code);
        return state.reply(scope, code, reason);
      },
    },
    t_on_failure: {
      doc: 'Names the failure handler to run when the request comes to a final response of 300 or above; null disarms.',
      signature: '(name: HandlerName | null): void',
      on: 'request',
      routes: ['request', 'failure'],
      call({ scope }, name: HandlerName<'failure'> | null): void {
        const transaction = transactionOf(scope);
        if (transaction !== null) transaction.onFailure = armed(name);
      },
    },
    t_on_reply: {
      doc: 'Names the onreply handler to run for each response to the request; null disarms.',
      signature: '(name: HandlerName | null): void',
      on: 'request',
      routes: ['request', 'failure'],
      call({ scope }, name: HandlerName<'onreply'> | null): void {
        const transaction = transactionOf(scope);
        if (transaction !== null) transaction.onReply = armed(name);
      },
    },
    t_on_branch: {
      doc: 'Names the branch handler to run on each copy of the request before it is sent; what it changes stays in that copy. Null disarms.',
      signature: '(name: HandlerName | null): void',
      on: 'request',
      routes: ['request', 'failure'],
      call({ scope }, name: HandlerName<'branch'> | null): void {
        const transaction = transactionOf(scope);
        if (transaction !== null) transaction.onBranch = armed(name);
      },
    },
    t_is_canceled: {
      doc: 'Whether a CANCEL has come for the request.',
      signature: '(): boolean',
      on: 'any',
      call: ({ scope }) => transactionOf(scope)?.canceled ?? false,
    },
  },
});

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    tm: typeof tm;
  }
}
