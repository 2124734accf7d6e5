import { type Call, decodeText, errors, type ListenPoint, type PvResult } from '../../core/index.ts';
import { checkedPath, checkedQ, checkedUri, type Destination, requestUri } from './destinations.ts';
import { transactionOf } from './in-hand.ts';
import type { Tm } from './tm-layer.ts';

type TmCall = Call<Tm>;

/** What an appended destination has, under Kamailio's names. */
const ATTRIBUTES = ['uri', 'dst_uri', 'path', 'q', 'send_socket', 'count'] as const;
export type BranchAttribute = (typeof ATTRIBUTES)[number];

/** @throws ERR_TM_VALUE. */
function attributeOf(name: string): BranchAttribute {
  const found = ATTRIBUTES.find((known) => known === name.toLowerCase());
  if (found === undefined) throw errors.ERR_TM_VALUE('$branch', `one of ${ATTRIBUTES.join(', ')}`, name);
  return found;
}

function appendedOf({ scope }: TmCall): readonly Destination[] {
  return transactionOf(scope)?.targets.destinations.appended ?? [];
}

function socketName({ protocol, address, port }: ListenPoint): string {
  return `${protocol}:${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** @throws ERR_TM_VALUE. */
function socketOf({ state }: TmCall, name: string): ListenPoint {
  const { points } = state.core.transport;
  const found = points.find((point) => socketName(point) === name);
  if (found !== undefined) return found;
  throw errors.ERR_TM_VALUE('$branch(send_socket)', `one of ${points.map(socketName).join(', ')}`, name);
}

function read(
  destination: Destination,
  attribute: Exclude<BranchAttribute, 'count'>,
): string | number | null {
  switch (attribute) {
    case 'uri':
      return decodeText(destination.uri);
    case 'dst_uri':
      return destination.nextHop === null ? null : decodeText(destination.nextHop);
    case 'path':
      return destination.path === null ? null : decodeText(destination.path);
    case 'q':
      return destination.q;
    case 'send_socket':
      break;
  }
  return destination.sendSocket === null ? null : socketName(destination.sendSocket);
}

/** The destination with one attribute changed; null: it is to be taken out. @throws ERR_TM_VALUE, ERR_URI_SYNTAX. */
function changed(
  call: TmCall,
  destination: Destination,
  { attribute, value }: { readonly attribute: BranchAttribute; readonly value: PvResult },
): Destination | null {
  const text = value === null || value === '' ? null : String(value);
  const caller = `$branch(${attribute})`;
  switch (attribute) {
    case 'uri':
      return text === null ? null : { ...destination, uri: requestUri(checkedUri(caller, text)) };
    case 'dst_uri':
      return { ...destination, nextHop: text === null ? null : checkedUri(caller, text) };
    case 'path':
      return { ...destination, path: text === null ? null : checkedPath(caller, text) };
    case 'q':
      return { ...destination, q: text === null ? null : checkedQ(caller, Number(text)) };
    case 'send_socket':
      return { ...destination, sendSocket: text === null ? null : socketOf(call, text) };
    case 'count':
      break;
  }
  throw errors.ERR_TM_VALUE(caller, 'nothing: it can only be read', String(value));
}

/** Position of one of `count`, negative ones counted from the last; -1: there is none. */
function positionOf(index: number, count: number): number {
  const at = index < 0 ? count + index : index;
  return at >= 0 && at < count ? at : -1;
}

/** The pseudo-variables of the destinations appended. */
export const branchVariables = {
  $branch: {
    doc: 'Attribute of a destination appended (append_branch): `uri`, `dst_uri` (its $du), `path` (its Routes), `q`, `send_socket` (the listen address to leave by, such as `udp:10.0.0.1:5060`), or, of all, `count`. `index` says which, from 0; negative counts from the last, in text `$(branch(uri)[1])`. Null where there is none. All but `count` can be set; a `uri` of null takes the destination out.',
    indexed: true,
    parse: (inner: string): readonly [BranchAttribute] => [attributeOf(inner)],
    get(call: TmCall, name: BranchAttribute, index: number = 0): string | number | null {
      const appended = appendedOf(call);
      const attribute = attributeOf(name);
      if (attribute === 'count') return appended.length;
      const destination = appended[positionOf(index, appended.length)];
      return destination === undefined ? null : read(destination, attribute);
    },
    set(call: TmCall, value: string | number | null, name: BranchAttribute, index: number = 0): void {
      const appended = appendedOf(call);
      const at = positionOf(index, appended.length);
      const destination = appended[at];
      const attribute = attributeOf(name);
      if (destination === undefined)
        throw errors.ERR_TM_VALUE('$branch', `an index below ${appended.length}, the count`, index);
      transactionOf(call.scope)?.targets.destinations.change(
        at,
        changed(call, destination, { attribute, value }),
      );
    },
  },
  $br: {
    doc: 'Request-URI of the first destination appended; null when there is none. Setting it appends one, as append_branch without $du.',
    plain: true,
    get: (call: TmCall): string | null => {
      const [first] = appendedOf(call);
      return first === undefined ? null : decodeText(first.uri);
    },
    set({ scope }: TmCall, value: string): void {
      const uri = requestUri(checkedUri('$br', value));
      const destination = { uri, nextHop: null, q: null, path: null, sendSocket: null };
      transactionOf(scope)?.targets.destinations.append(destination);
    },
  },
  $bR: {
    doc: 'Request-URIs of all destinations appended, with commas between; null when there is none.',
    plain: true,
    get: (call: TmCall): string | null => {
      const uris = appendedOf(call).map(({ uri }) => decodeText(uri));
      return uris.length === 0 ? null : uris.join(',');
    },
  },
} as const;
