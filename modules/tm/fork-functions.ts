import { type Call, encodeText, errors, parseUri, promiseOf, type SipRequest } from '../../core/index.ts';
import { byPreference, byWeight } from './contact-order.ts';
import { checkedUri, type Destination, destinationOf, type DestinationOptions } from './destinations.ts';
import { transactionOf } from './in-hand.ts';
import { relay } from './relay.ts';
import type { Tm } from './tm-layer.ts';
import type { Transaction } from './transaction.ts';

type RequestCall = Call<Tm, SipRequest>;

const ROUTES = ['request', 'failure'] as const;

/** The transaction when its request may still get a branch (RFC 3261 16.7 step 5). */
function forkable({ scope }: RequestCall): Transaction | null {
  const transaction = transactionOf(scope);
  return transaction === null || transaction.finalStatus !== 0 || transaction.declined ? null : transaction;
}

function appendBranch(call: RequestCall, options: DestinationOptions): boolean {
  const { msg } = call;
  const destination = destinationOf(msg, options);
  const transaction = forkable(call);
  if (transaction === null || msg.method === 'CANCEL') return false;
  const added = transaction.targets.destinations.append(destination);
  if (options.uri === undefined) {
    // As in Kamailio: the Request-URI has become a branch; by itself it counts again once it, or $du, is set anew.
    msg.nextHop = null;
    transaction.targets.mainUsed(msg);
  }
  return added;
}

function loadContacts(call: RequestCall, mode: number): boolean {
  if (mode !== 0 && mode !== 1) throw errors.ERR_TM_VALUE('t_load_contacts', 'mode 0 or 1', mode);
  const { msg, state } = call;
  const transaction = forkable(call);
  if (transaction === null) return false;
  const arrange =
    mode === 0 ? byPreference : (all: readonly Destination[]) => byWeight(all, () => state.random());
  const { targets } = transaction;
  if (targets.destinations.load(targets.mainDestination(msg), arrange)) targets.mainUsed(msg);
  return true;
}

function nextContacts(call: RequestCall): boolean {
  const transaction = forkable(call);
  const destinations = transaction?.targets.destinations;
  const [first, ...others] = destinations?.next() ?? [];
  if (transaction === null || destinations === undefined || first === undefined) return false;
  destinations.makeMain(call.msg, first);
  transaction.targets.mainUnused();
  for (const destination of others) destinations.append(destination);
  return true;
}

/** A next hop URI from a URI or from `[protocol:]host[:port]`, as Kamailio writes proxies. */
function proxyUri(text: string): string {
  if (/^sips?:/i.test(text)) return checkedUri('t_relay_to', text);
  const [, protocol, address = ''] = /^(?:(udp|tcp|tls|ws|wss):)?(.*)$/is.exec(text) ?? [];
  const uri = `sip:${encodeText(address)}${protocol === undefined ? '' : `;transport=${protocol.toLowerCase()}`}`;
  const parsed = parseUri(uri);
  if (!parsed.ok || parsed.value.user !== null)
    throw errors.ERR_TM_VALUE('t_relay_to', 'a URI or [protocol:]host[:port]', JSON.stringify(text));
  return uri;
}

/** Functions that say where a request goes. */
export const forkFunctions = {
  append_branch: {
    doc: 'Adds a destination that t_relay sends to as well: a URI, an object with `uri`, `nextHop` (the $du of that branch alone, null for none), `q` and `path` (its Routes, as a Path header has them), or without argument the Request-URI as it stands, which is free to be set anew then. What is left out is as in the request. False: it is in the set already, or no branch may be added, as after a 6xx.',
    signature: '(destination?: string | DestinationOptions, q?: number): boolean',
    on: 'request',
    routes: ROUTES,
    call(call: RequestCall, destination?: string | DestinationOptions, q?: number): boolean {
      const given = typeof destination === 'string' ? { uri: destination } : (destination ?? {});
      return appendBranch(call, q === undefined ? given : { ...given, q });
    },
  },
  t_load_contacts: {
    doc: 'Puts all destinations, the Request-URI among them, aside for t_next_contacts. Mode 0: highest q first, those of the same q together. Mode 1: one by one, in an order drawn at random with q as the weight; those with a q of 0 or none come last. Does nothing when there is only one, or, with mode 0, only one q. False: no branch may be added.',
    signature: '(mode?: 0 | 1): boolean',
    on: 'request',
    routes: ROUTES,
    call: (call: RequestCall, mode: 0 | 1 = 0): boolean => loadContacts(call, mode),
  },
  t_next_contacts: {
    doc: 'Makes the next destinations that t_load_contacts put aside the ones that t_relay sends to: the first of them becomes the Request-URI, the others are appended. False: there are none left.',
    signature: '(): boolean',
    on: 'request',
    routes: ROUTES,
    call: (call: RequestCall): boolean => nextContacts(call),
  },
  t_relay_to: {
    doc: 'As t_relay, but all of it goes to this next hop: a URI, or a proxy such as `10.0.0.7`, `udp:10.0.0.7:5060`.',
    signature: '(proxy: string): Promise<boolean>',
    on: 'request',
    routes: ROUTES,
    call: (call: RequestCall, proxy: string): Promise<boolean> => promiseOf(relay(call, proxyUri(proxy))),
  },
} as const;
