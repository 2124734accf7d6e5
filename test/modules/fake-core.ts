import assert from 'node:assert/strict';
import type { Logger } from '../../core/log.ts';
import { Figures } from '../../core/registry/figures.ts';
import { Myself } from '../../core/proxy/myself.ts';
import { OwnRoutes } from '../../core/proxy/own-routes.ts';
import type { Call } from '../../core/registry/module.ts';
import { Avps, type RouteKind, Scope } from '../../core/registry/scope.ts';
import type {
  CoreServices,
  FlowTokens,
  FormatService,
  PvResult,
  TransactionLayer,
} from '../../core/registry/services.ts';
import type { ListenPoint, Received } from '../../core/sip/hop.ts';
import { parseMessage, SipRequest, SipResponse } from '../../core/sip/message.ts';
import { printRequest } from '../../core/sip/print.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';
import { recordedLog } from '../transport/recorded-log.ts';

/** A listen point at 192.0.2.1, UDP port 5060 unless told otherwise. */
export function point(address = '192.0.2.1', port = 5060): ListenPoint {
  return {
    protocol: 'udp',
    family: 4,
    address,
    port,
    advertisedHost: address,
    advertisedPort: port,
    sentBy: `${address}:${port}`,
  };
}

export const proxyPoint = point();

/** Where test messages come from unless told otherwise. */
export const received: Received = { point: proxyPoint, address: '198.51.100.7', port: 5070, flow: 0 };

/** A message text from its lines; a Content-Length is added. */
export function text(lines: readonly string[], body = ''): Buffer {
  const length = `Content-Length: ${Buffer.byteLength(body, 'latin1')}`;
  return Buffer.from(`${[...lines, length].join('\r\n')}\r\n\r\n${body}`, 'latin1');
}

export interface RequestOptions {
  readonly method?: string;
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  /** Further header lines, without line ends; Via and Max-Forwards stand above them. */
  readonly headers?: readonly string[];
  readonly maxForwards?: string | null;
  readonly body?: string;
  readonly received?: Received;
  readonly branch?: string;
  /** Value of the Via, instead of one with that branch. */
  readonly via?: string;
}

/** A parsed request, well formed unless the options make it otherwise. Byte strings go in as they are. */
export function request(options: RequestOptions = {}): SipRequest {
  const method = options.method ?? 'INVITE';
  const maxForwards = options.maxForwards === undefined ? '70' : options.maxForwards;
  const lines = [
    `${method} ${options.uri ?? 'sip:bob@example.com'} SIP/2.0`,
    `Via: ${options.via ?? `SIP/2.0/UDP 198.51.100.7:5070;branch=${options.branch ?? 'z9hG4bKa1'}`}`,
    ...(maxForwards === null ? [] : [`Max-Forwards: ${maxForwards}`]),
    ...(options.headers ?? []),
    `From: ${options.from ?? '"Alice A." <sip:alice@example.org>;tag=fa1'}`,
    `To: ${options.to ?? 'Bob <sip:bob@example.com>'}`,
    'Call-ID: c1@198.51.100.7',
    `CSeq: 17 ${method}`,
  ];
  const msg = parsed(text(lines, options.body), options.received);
  assert(msg instanceof SipRequest);
  return msg;
}

/** A parsed response. */
export function response(
  options: {
    readonly status?: string;
    readonly headers?: readonly string[];
    readonly received?: Received;
  } = {},
): SipResponse {
  const lines = [
    `SIP/2.0 ${options.status ?? '180 Ringing'}`,
    'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKp1',
    'Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKa1',
    ...(options.headers ?? []),
    'From: <sip:alice@example.org>;tag=fa1',
    'To: <sip:bob@example.com>;tag=tb1',
    'Call-ID: c1@198.51.100.7',
    'CSeq: 17 INVITE',
  ];
  const msg = parsed(text(lines), options.received);
  assert(msg instanceof SipResponse);
  return msg;
}

export function parsed(bytes: Buffer, from: Received = received): SipRequest | SipResponse {
  const result = parseMessage(bytes, from);
  assert(result.ok, result.ok ? '' : result.reason);
  return result.msg;
}

/** A request as it would leave: its edits made, with neither Via nor Max-Forwards added by forwarding. */
export function printed(msg: SipRequest, out: ListenPoint = proxyPoint): string {
  const bytes = printRequest(msg, { uri: msg.uri, edits: msg.edits, via: null, out, maxForwards: null });
  return bytes.toString('latin1');
}

/** The header lines of a printed request whose name, in lower case, is this. */
export function linesOf(printedText: string, name: string): string[] {
  const head = printedText.slice(0, printedText.indexOf('\r\n\r\n'));
  return head.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name}:`));
}

/** A run of a handler for a message; for several runs of one transaction give the same AVPs. */
export function scopeOf(
  msg: SipRequest | SipResponse,
  options: {
    readonly route?: RouteKind;
    readonly response?: SipResponse | null;
    readonly avps?: Avps;
    readonly transaction?: object | null;
  } = {},
): Scope {
  const isRequest = msg.kind === 'request';
  return new Scope(options.route ?? (isRequest ? 'request' : 'reply'), msg, {
    request: isRequest ? msg : null,
    response: isRequest ? (options.response ?? null) : msg,
    avps: options.avps ?? new Avps(),
    transaction: options.transaction ?? null,
  });
}

/** What a function or variable of a module is called with. */
export function callOf<State, Msg extends SipRequest | SipResponse>(
  state: State,
  msg: Msg,
  options: { readonly scope?: Scope; readonly log?: Logger } = {},
): Call<State, Msg> {
  return { msg, scope: options.scope ?? scopeOf(msg), state, log: options.log ?? recordedLog() };
}

type Variables = Record<string, PvResult | Promise<PvResult>>;

function shown(value: PvResult): string {
  return value === null ? '<null>' : String(value);
}

/** Formats that know the variables given, by their whole name (`$mct(k)`); null ones print `<null>`. */
export function fakeFormats(variables: Variables): FormatService {
  const expand = (_scope: Scope, format: string): string | Promise<string> => {
    const parts = format.split(/(\$\$|\$\w+(?:\([^)]*\))?)/).map((part) => {
      if (!part.startsWith('$')) return part;
      const value = part === '$$' ? '$' : (variables[part] ?? null);
      return value instanceof Promise ? value.then(shown) : shown(value);
    });
    if (parts.every((part) => typeof part === 'string')) return parts.join('');
    return Promise.all(parts.map((part) => Promise.resolve(part))).then((ready) => ready.join(''));
  };
  return {
    expand,
    expandKey: expand,
    get: (_scope, name) => variables[name] ?? null,
    set: (_scope, name, value) => {
      variables[name] = value;
    },
  };
}

export interface FakeCore extends CoreServices {
  readonly clock: FakeClock;
  readonly metrics: Figures;
  /** Replies sent without a transaction, in order. */
  readonly replies: { readonly request: SipRequest; readonly text: string }[];
  /** How the next reply fails to be sent; null: it does not. */
  replyError: Error | null;
  transactions: TransactionLayer | null;
  flowTokens: FlowTokens | null;
}

interface FakeCoreOptions {
  /** Hosts that are this proxy: with a port `host:port` for that port only. */
  readonly myself?: readonly string[];
  /** What `formats` knows, unless `formats` itself is given. */
  readonly variables?: Variables;
  readonly formats?: FormatService;
  /** What random tokens are made of; two cores with the same seed make the same ones. */
  readonly seed?: string;
  /** Listen points; one at 192.0.2.1 unless given. */
  readonly points?: readonly ListenPoint[];
}

function unused(name: string): () => never {
  return () => {
    throw new Error(`the fake core has no ${name}`);
  };
}

/** Core services by hand: time stands still, nothing is sent, randomness is the seed repeated. */
export function fakeCore(options: FakeCoreOptions = {}): FakeCore {
  const names = options.myself ?? ['192.0.2.1:5060'];
  const aliases = names.map((name) => {
    const [, host = name, port = ''] = /^(.*):(\d+)$/.exec(name) ?? [];
    return { host, port: port === '' ? null : Number(port) };
  });
  const core: FakeCore = {
    clock: new FakeClock(),
    metrics: new Figures(),
    replies: [],
    replyError: null,
    transactions: null,
    randomToken: (length) => (options.seed ?? 'seed').repeat(length).slice(0, length),
    statelessTag: ({ topVia }) => `stateless-${topVia.branch}`,
    transport: {
      points: options.points ?? [proxyPoint],
      send: unused('transport.send'),
      reply(answered, bytes, onError) {
        core.replies.push({ request: answered, text: bytes.toString('latin1') });
        if (core.replyError !== null) onError?.(core.replyError);
      },
      replyTarget: ({ received: { address, port } }) => ({ protocol: 'udp', address, port }),
      pointFor: () => proxyPoint,
    },
    myself: new Myself([], aliases),
    ownRoutes: new OwnRoutes({ points: options.points ?? [proxyPoint] }),
    extensions: new Set(),
    flowTokens: null,
    setFlowTokens(tokens) {
      core.flowTokens = tokens;
    },
    handlers: {
      has: () => false,
      mustHave: () => undefined,
      hasReplyHandler: false,
      run: unused('handlers.run'),
    },
    forwarding: {
      resolve: unused('forwarding.resolve'),
      print: unused('forwarding.print'),
      printFitting: unused('forwarding.printFitting'),
      printResponse: unused('forwarding.printResponse'),
      forwardResponse: unused('forwarding.forwardResponse'),
      forwardStateless: unused('forwarding.forwardStateless'),
    },
    formats: options.formats ?? fakeFormats(options.variables ?? {}),
    setTransactionLayer(layer) {
      core.transactions = layer;
    },
  };
  return core;
}
