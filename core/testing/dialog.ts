import { parseNameAddr, parseNameAddrs } from '../sip/name-addr.ts';
import type { Uri } from '../sip/uri.ts';
import { type HeaderLines, type MessageOptions, printMessage } from './print-message.ts';
import type { TestMessage } from './test-message.ts';

/** What the requests of a dialog have in common, as one side sends them (RFC 3261 12.2.1.1). */
export interface Dialog {
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  /** The last CSeq number of this side, as far as it is known from elsewhere than its own count. */
  readonly cseq: number;
  /** Route values, topmost first. */
  readonly routes: readonly string[];
  /** Where a request goes first: the topmost Route, else the Request-URI. Null: to the proxy. */
  readonly next: Uri | null;
}

/** Whether a From or To has a tag. */
export function isTagged(value: string): boolean {
  const address = parseNameAddr(value);
  return address.ok && address.value.tag !== null;
}

/**
 * The dialog that a message which came makes or belongs to: who called receives responses, who was called the request (RFC 3261 12.1). `tag` is the callee's own.
 *
 * @throws Error when it lacks what a dialog needs: a Contact, and To with a tag in a response.
 */
export function dialogOf(message: TestMessage, tag: string): Dialog {
  const { startLine } = message;
  const isCaller = message.status !== null;
  const contact = parseNameAddr(message.header('Contact') ?? '');
  if (!contact.ok || !contact.value.uri.ok) throw new Error(`no dialog without a Contact: ${startLine}`);
  const from = message.header('From') ?? '';
  const to = message.header('To') ?? '';
  if (!isTagged(to) && (isCaller || tag === ''))
    throw new Error(
      `no dialog without a To tag${isCaller ? '' : ': answer the request first'}: ${startLine}`,
    );
  const recorded = message.headers('Record-Route').flatMap(listed);
  const routes = isCaller ? recorded.toReversed() : recorded;
  const [first] = routes;
  const top = first === undefined ? null : parseNameAddr(first);
  const local = isTagged(to) ? to : `${to};tag=${tag}`;
  return {
    uri: contact.value.uriText,
    from: isCaller ? from : local,
    to: isCaller ? to : from,
    callId: message.header('Call-ID') ?? '',
    cseq: isCaller ? cseqNumber(message) : 0,
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
  return ofInvite('ACK', invite, { to: refusal.header('To') });
}

/** The CANCEL of an INVITE (RFC 3261 9.1). */
export function cancelOf(invite: TestMessage, options: MessageOptions): TestMessage {
  return ofInvite('CANCEL', invite, { to: invite.header('To'), options });
}

function ofInvite(
  method: 'ACK' | 'CANCEL',
  invite: TestMessage,
  { to, options }: { readonly to: string | null; readonly options?: MessageOptions },
): TestMessage {
  const usual: HeaderLines = {
    Via: invite.header('Via'),
    Route: invite.headers('Route'),
    'Max-Forwards': '70',
    From: invite.header('From'),
    To: to,
    'Call-ID': invite.header('Call-ID'),
    CSeq: `${cseqNumber(invite)} ${method}`,
  };
  return printMessage(`${method} ${invite.uri} SIP/2.0`, usual, options);
}

function cseqNumber(message: TestMessage): number {
  return Number.parseInt(message.header('CSeq') ?? '', 10);
}
