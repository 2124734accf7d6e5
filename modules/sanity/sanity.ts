import {
  type Call,
  defineModule,
  encodeText,
  errors,
  param,
  type Scope,
  type SipRequest,
} from '../../core/index.ts';
import type { Fault } from './faults.ts';
import { ALL_MESSAGE_CHECKS, type CheckOptions, MessageCheck, messageFault } from './message-checks.ts';
import { ALL_URI_CHECKS, uriFault } from './uri-checks.ts';

/** What the functions of this module need. */
export interface SanityState extends CheckOptions {
  readonly defaultMessageChecks: number;
  readonly defaultUriChecks: number;
  /** Answers the request of a scope; false when nothing may be sent. */
  readonly reply: (scope: Scope, code: number, reason: string) => boolean;
}

/** Checks of requests beyond those that every request has to pass. */
export const sanity = defineModule({
  name: 'sanity',
  doc: 'Checks whether a request is well formed, and answers the one that is not.',
  depends: ['sl'],
  params: {
    default_msg_checks: param.int({
      default: 7079,
      min: 0,
      max: ALL_MESSAGE_CHECKS,
      unit: 'count',
      doc: 'Sum of the message checks that are made when `sanity_check` names none.',
    }),
    default_uri_checks: param.int({
      default: 7,
      min: 0,
      max: ALL_URI_CHECKS,
      unit: 'count',
      doc: 'Sum of the URIs that are checked when `sanity_check` names none.',
    }),
    proxy_require: param.string({
      default: '',
      doc: 'Extensions that a Proxy-Require may name, separated by commas, besides those of loaded modules.',
    }),
  },
  init({ core, params, deps }): SanityState {
    for (const tag of encodeText(params.proxy_require).toLowerCase().split(',')) {
      if (tag.trim() !== '') core.extensions.add(tag.trim());
    }
    return {
      defaultMessageChecks: params.default_msg_checks,
      defaultUriChecks: params.default_uri_checks,
      extensions: core.extensions,
      reply: deps.sl.reply,
    };
  },
  pseudoVariables: {},
  functions: {
    sanity_check: {
      on: 'request',
      routes: ['request'],
      doc: 'Makes the message checks whose masks are added up in `msg_checks`; with 1024 among them also reads the URIs of `uri_checks`. False when one fails: the request has been answered (an ACK never is), so return.',
      signature: '(msg_checks?: number, uri_checks?: number): boolean',
      call: (
        { msg, scope, state, log }: Call<SanityState, SipRequest>,
        msgChecks: number = state.defaultMessageChecks,
        uriChecks: number = state.defaultUriChecks,
      ): boolean => {
        checkMask('msg_checks', msgChecks, ALL_MESSAGE_CHECKS);
        checkMask('uri_checks', uriChecks, ALL_URI_CHECKS);
        const wantsUris = (msgChecks & MessageCheck.parseUris) !== 0;
        const fault = messageFault(msg, msgChecks, state) ?? (wantsUris ? uriFault(msg, uriChecks) : null);
        if (fault === null) return true;
        // As the core does with what is malformed: anyone can send any number of these.
        if (log.isEnabled('debug'))
          log.debug('sanity_check failed', { callId: msg.callId, reason: fault.reason });
        answer(state, scope, fault);
        return false;
      },
    },
  },
});

/** @throws ERR_FLAGS. */
function checkMask(name: string, mask: number, all: number): void {
  if (Number.isInteger(mask) && mask >= 0 && mask <= all) return;
  throw errors.ERR_FLAGS(`sanity_check: ${name}`, 0, all, String(mask));
}

/** What the routes send afterwards, should they, does not carry the header lines of this reply. */
function answer({ reply }: SanityState, scope: Scope, { code, reason, headers }: Fault): void {
  const before = scope.replyHeaders;
  scope.replyHeaders += headers;
  reply(scope, code, reason);
  scope.replyHeaders = before;
}

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    sanity: typeof sanity;
  }
}
