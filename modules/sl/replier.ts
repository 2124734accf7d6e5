import {
  buildReply,
  type CoreServices,
  encodeText,
  errors,
  type Logger,
  reasonPhrase,
  type Scope,
} from '../../core/index.ts';

/** Sends replies without state. */
export class Replier {
  readonly #core: CoreServices;
  readonly #log: Logger;

  constructor(core: CoreServices, log: Logger) {
    this.#core = core;
    this.#log = log;
  }

  /**
   * Replies to the scope's request without a transaction, unless that has answered it or sent it on. False when nothing may be sent: to an ACK (RFC 3261 17),
   * without a request, or where there is a final reply already.
   * @throws ERR_REPLY_CODE, ERR_TEXT_LINE_BREAK.
   */
  stateless(scope: Scope, code: number, reason: string): boolean {
    const phrase = checkedReply('sl_send_reply', code, reason);
    const { request } = scope;
    const { transactions } = this.#core;
    if (request === null) return false;
    // Its transaction says whether it may have one more answer, and cancels what rings.
    if (transactions?.hasBegun(scope) === true) return transactions.reply(scope, code, phrase);
    if (code >= 200) scope.settled = true;
    if (request.method === 'ACK') return false;
    const bytes = buildReply(request, code, phrase, {
      toTag: code === 100 ? '' : this.#core.statelessTag(request),
      headers: scope.replyHeaders,
    });
    this.#core.transport.reply(request, bytes, (error) => {
      this.#log.warn('a stateless reply could not be sent', { code, callId: request.callId, error });
    });
    return true;
  }

  /**
   * Replies through the transaction when the request has one, else without state.
   * @throws as `stateless`.
   */
  reply(scope: Scope, code: number, reason: string): boolean {
    const { transactions } = this.#core;
    if (scope.transaction === null || transactions === null) return this.stateless(scope, code, reason);
    const sent = transactions.reply(scope, code, checkedReply('send_reply', code, reason));
    if (sent && code >= 200) scope.settled = true;
    return sent;
  }

  /** Tells the sender that the proxy failed: 500, without state. */
  error(scope: Scope): boolean {
    return this.stateless(scope, 500, reasonPhrase(500));
  }
}

/** The reason phrase as bytes, once it and the code are known to be fit for a status line. */
function checkedReply(name: string, code: number, reason: string): string {
  if (!(Number.isInteger(code) && code >= 100 && code <= 699)) throw errors.ERR_REPLY_CODE(name, code);
  if (/[\r\n]/.test(reason)) throw errors.ERR_TEXT_LINE_BREAK(name, JSON.stringify(reason));
  return encodeText(reason);
}
