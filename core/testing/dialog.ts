import { parseNameAddr, parseNameAddrs } from '../sip/name-addr.ts';
import type { Uri } from '../sip/uri.ts';
import { printMessage } from './print-message.ts';
import type { TestMessage } from './test-message.ts';

/** What the requests of a dialog have in common, as one side sends them (RFC 3261 12.2.1.1). */
export interface Dialog {
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  /** CSeq number of the message that this was learnt from. */
  readonly cseq: number;
  /** Route values, topmost first. */
  readonly routes: readonly string[];
  /** Where a request goes first: the topmost Route, else the Request-URI. Null: to the proxy. */
  readonly next: Uri | null;
}

/** Which side of a dialog has received a message: who called receives responses, who was called the request (RFC 3261 12.1). */
export function dialogSide({ status }: TestMessage): 'caller' | 'callee' {
  return status === null ? 'callee' : 'caller';
}

/**
 * The dialog that a message which came makes or belongs to; `tag` is the callee's own.
 *
 * @throws Error when it lacks what a dialog needs: a Contact, and To with a tag in a response.
 */
export function dialogOf(message: TestMessage, side: 'caller' | 'callee', tag: string): Dialog {
  const { startLine } = message;
  const contact = parseNameAddr(message.header('Contact') ?? '');
  if (!contact.ok || !contact.value.uri.ok) throw new Error(`no dialog without a Contact: ${startLine}`);
  const from = message.header('From') ?? '';
  const to = message.header('To') ?? '';
  const isTagged = /;\s*tag=/i.test(to);
  if (!isTagged && (side === 'caller' || tag === ''))
    throw new Error(
      `no dialog without a To tag${side === 'callee' ? ': answer the request first' : ''}: ${startLine}`,
    );
  const recorded = message.headers('Record-Route').flatMap(listed);
  const routes = side === 'caller' ? recorded.toReversed() : recorded;
  const [first] = routes;
  const top = first === undefined ? null : parseNameAddr(first);
  const local = isTagged ? to : `${to};tag=${tag}`;
  return {
    uri: contact.value.uriText,
    from: side === 'caller' ? from : local,
    to: side === 'caller' ? to : from,
    callId: message.header('Call-ID') ?? '',
    cseq: Number.parseInt(message.header('CSeq') ?? '', 10),
    routes,
    next: top?.ok && top.value.uri.ok ? top.value.uri.value : contact.value.uri.value,
  };
}

/** The values of one Record-Route line. */
function listed(line: string): string[] {
  const values = parseNameAddrs(line);
  if (!values.ok) throw new Error(`a malformed Record-Route: ${line}`);
  let start = 0;
  return values.value.map(({ end }) => {
    const value = line.slice(start, end).trim();
    start = end + 1;
    return value;
  });
}

/** The ACK of a response that refuses an INVITE (RFC 3261 17.1.1.3). */
export function ackOf(invite: TestMessage, refusal: TestMessage): TestMessage {
  return ofInvite('ACK', invite, refusal.header('To') ?? '');
}

/** The CANCEL of an INVITE (RFC 3261 9.1). */
export function cancelOf(invite: TestMessage): TestMessage {
  return ofInvite('CANCEL', invite, invite.header('To') ?? '');
}

function ofInvite(method: 'ACK' | 'CANCEL', invite: TestMessage, to: string): TestMessage {
  return printMessage(`${method} ${invite.uri} SIP/2.0`, {
    Via: invite.header('Via'),
    Route: invite.headers('Route'),
    'Max-Forwards': '70',
    From: invite.header('From'),
    To: to,
    'Call-ID': invite.header('Call-ID'),
    CSeq: `${Number.parseInt(invite.header('CSeq') ?? '', 10)} ${method}`,
  });
}
