import {
  type Call,
  defineModule,
  errors,
  type HandlerName,
  type NamedRouteKind,
  promiseOf,
  shownTyped,
  type SipRequest,
} from '../../core/index.ts';
import { declareFigures } from './figures.ts';
import { failureFunctions } from './failure-functions.ts';
import { forkFunctions } from './fork-functions.ts';
import { transactionOf } from './in-hand.ts';
import { tmParams } from './params.ts';
import { relay } from './relay.ts';
import { relayIfInvited } from './relay-cancel.ts';
import { settingFunctions } from './setting-functions.ts';
import { searchOf, type TmApi } from './search.ts';
import { Tm } from './tm-layer.ts';
import { variables } from './variables.ts';

/**
 * The handler that is to run: null for none, and `'0'` is Kamailio's way to write that.
 *
 * @throws ERR_TM_VALUE, ERR_ROUTE_NAME.
 */
function armed(
  { state, scope }: Call<Tm>,
  name: string | null,
  { fn, kind }: { readonly fn: string; readonly kind: NamedRouteKind },
): string | null {
  if (name === null || name === '0') return null;
  if (typeof name !== 'string')
    throw errors.ERR_TM_VALUE(fn, `the name of a handler in ${kind}, or null`, shownTyped(name));
  state.core.handlers.mustHave(kind, name, { fn, scope });
  return name;
}

/** Whether the transaction of the request in hand, or the INVITE that a CANCEL means, is here. */
function checkTransaction({ state, scope, msg }: Call<Tm, SipRequest>): boolean {
  if (msg.method === 'CANCEL') return state.invited(msg) !== null;
  // A retransmission never gets as far as a handler, nor does the ACK of a reply sent from here.
  return scope.transaction !== null && msg.method !== 'ACK' && scope.route !== 'request';
}

export const tm = defineModule({
  name: 'tm',
  doc: 'Transactions: retransmission, matching, timers, relaying with state (RFC 3261 16 and 17, RFC 6026).',
  depends: [],
  params: tmParams,

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
        inviteLifetimeMs: params.max_inv_lifetime,
        otherLifetimeMs: params.max_noninv_lifetime,
      },
      policy: {
        trying: params.auto_inv_100,
        endsBy6xx: !params.disable_6xx_block,
        maxFailovers: params.max_dns_failovers,
      },
      maxTransactions: params.max_transactions,
    });
    core.setTransactionLayer(layer);
    declareFigures(core.metrics, layer);
    return layer;
  },
  api: (): TmApi => ({ searchOf }),
  stop: (layer) => layer.stop(),

  pseudoVariables: variables,
  functions: {
    ...forkFunctions,
    ...failureFunctions,
    ...settingFunctions,
    t_relay: {
      doc: 'Sends the request on, keeping state: to its next hop ($du, else the topmost Route, else the Request-URI), and in parallel to all destinations appended. False: it could not be sent; it has been answered with an error then, or the failure handler must.',
      signature: '(): Promise<boolean>',
      on: 'request',
      routes: ['request', 'failure'],
      call: (call): Promise<boolean> => promiseOf(relay(call)),
    },
    t_relay_cancel: {
      doc: 'Answers a CANCEL whose INVITE is here, and ends that: nothing else is to be done for it. False: its INVITE is not here, or the request is no CANCEL, and nothing was done.',
      signature: '(): boolean',
      on: 'request',
      routes: ['request'],
      call: (call) => relayIfInvited(call),
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
      call: (call) => checkTransaction(call),
    },
    t_reply: {
      doc: 'Answers the request with state: the reply is sent again when the request is. False: it has a final reply already.',
      signature: '(code: number, reason: string): boolean',
      on: 'request',
      routes: ['request', 'failure'],
      call({ state, scope }, code: number, reason: string): boolean {
        if (!Number.isInteger(code) || code < 100 || code > 699) throw errors.ERR_REPLY_CODE('t_reply', code);
        if (typeof reason !== 'string') throw errors.ERR_TEXT_TYPE('t_reply', shownTyped(reason));
        return state.reply(scope, code, reason);
      },
    },
    t_on_failure: {
      doc: 'Names the failure handler to run, once, when all branches of the request are done and none has a 2xx: they were refused, silent, out of reach or cancelled; or when it was cancelled before it had one. Null disarms. It does not run when the routes answer the request themselves, when t_relay is false and has answered it (478, 482, 483, 440), or when the request handler fails before it has sent the request on.',
      signature: '(name: HandlerName | null): void',
      on: 'request',
      routes: ['request', 'failure'],
      call(call, name: HandlerName<'failure'> | null): void {
        const handler = armed(call, name, { fn: 't_on_failure', kind: 'failure' });
        const transaction = transactionOf(call.scope);
        if (transaction !== null) transaction.onFailure = handler;
      },
    },
    t_on_reply: {
      doc: 'Names the onreply handler to run for each response to the request; null disarms.',
      signature: '(name: HandlerName | null): void',
      on: 'request',
      routes: ['request', 'failure'],
      call(call, name: HandlerName<'onreply'> | null): void {
        const handler = armed(call, name, { fn: 't_on_reply', kind: 'onreply' });
        const transaction = transactionOf(call.scope);
        if (transaction !== null) transaction.onReply = handler;
      },
    },
    t_on_branch: {
      doc: 'Names the branch handler to run on each copy of the request before it is sent; what it changes stays in that copy. Null disarms.',
      signature: '(name: HandlerName | null): void',
      on: 'request',
      routes: ['request', 'failure'],
      call(call, name: HandlerName<'branch'> | null): void {
        const handler = armed(call, name, { fn: 't_on_branch', kind: 'branch' });
        const transaction = transactionOf(call.scope);
        if (transaction !== null) transaction.onBranch = handler;
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
