import { type Call, reasonPhrase, type SipRequest } from '../../core/index.ts';
import type { KnownRequest } from './settled-server.ts';
import type { Tm } from './tm-layer.ts';
import { Transaction } from './transaction.ts';

/**
 * Ends the INVITE that a CANCEL means; without that INVITE the CANCEL goes on without state (RFC 3261 16.10): what `t_relay` does with one.
 *
 * @returns false when it could be sent nowhere; it has been answered then.
 */
export function relayCancel(
  tm: Tm,
  transaction: Transaction,
  request: SipRequest,
): boolean | Promise<boolean> {
  const invited = tm.invited(request);
  if (invited === null) {
    const ended = (sent: boolean): boolean => {
      if (sent) transaction.forget();
      else transaction.reply(481, reasonPhrase(481)); // RFC 3261 9.2
      return sent;
    };
    const sent = tm.core.forwarding.forwardStateless(request);
    if (!(sent instanceof Promise)) return ended(sent);
    transaction.relaying += 1;
    return sent.then(ended).finally(() => {
      transaction.relaying -= 1;
    });
  }
  endInvited(transaction, { cancel: request, invited });
  return true;
}

/**
 * Ends the INVITE that a CANCEL means, and answers the CANCEL (RFC 3261 9.2, 16.10): the work of `t_relay_cancel`.
 *
 * @returns false, with nothing done, when that INVITE is not here or the request is no CANCEL.
 */
export function relayIfInvited({ state: tm, scope, msg: request }: Call<Tm, SipRequest>): boolean {
  const { transaction } = scope;
  if (!(transaction instanceof Transaction) || request.method !== 'CANCEL') return false;
  const invited = tm.invited(request);
  if (invited === null) return false;
  scope.settled = true;
  endInvited(transaction, { cancel: request, invited });
  return true;
}

function endInvited(
  transaction: Transaction,
  { cancel, invited }: { readonly cancel: SipRequest; readonly invited: KnownRequest },
): void {
  transaction.reply(200, 'canceling');
  invited.cancel(reasonHeaders(cancel));
}

/** The Reason headers of a CANCEL, which go on to the next hop (RFC 3326 2). */
function reasonHeaders(request: SipRequest): string {
  let lines = '';
  for (let i = request.findName('reason'); i !== -1; i = request.findName('reason', i)) {
    lines += `Reason: ${request.value(i)}\r\n`;
  }
  return lines;
}
