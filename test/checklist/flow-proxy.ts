import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { defineRoutes, type ListenPoint, type Protocol } from '../../core/index.ts';
import { type ProxyRig, proxyRig, type Sent } from '../proxy-rig.ts';
import { branchOf, hostOf, isResponse, kindOf, type Shown, shown, viaValues } from './flow-message.ts';

/** A proxy of a call flow, and what it has to do there. */
export interface FlowProxy {
  /** Host in its Vias, and its name in Routes. */
  readonly host: string;
  readonly protocol: Protocol;
  /** New Request-URIs by those that come in: what the flow's location service knows. */
  readonly location?: Readonly<Record<string, string>>;
  readonly records?: boolean;
  readonly addsPath?: boolean;
  /** Header that it takes away: credentials meant for it. */
  readonly strips?: string;
  /** Substitutions in the bodies of requests and of responses. */
  readonly rewrites?: { readonly requests: readonly string[]; readonly responses: readonly string[] };
  /** Headers that it adds; their values are those of the flow. */
  readonly adds?: readonly string[];
}

/** Where everything goes that the proxy sends on: it is the messages that count here. */
const NEXT_HOP = '192.0.2.250';
/** Where the sender of a message is, by the host in its Via: what the flows show as `received`. Others send from where their Via says. */
const ADDRESSES: Readonly<Record<string, string>> = {
  'client.atlanta.example.com': '192.0.2.101',
  'client.biloxi.example.com': '192.0.2.201',
  'client.chicago.example.com': '192.0.2.100',
  'ss1.atlanta.example.com': '192.0.2.111',
  'ss2.biloxi.example.com': '192.0.2.222',
  'alg1.atlanta.example.com': '192.0.2.128',
  'ua1.example.com': '192.0.2.1',
  'ua2.example.com': '192.0.2.3',
  'b2bua.example.com': '192.0.2.2',
};
/** The address of those whom no flow shows one for. */
const UNKNOWN_ADDRESS = '192.0.2.30';
/** Addresses of names that a flow puts into a Path, where the proxy knows none but its address. */
const PATH_HOSTS: readonly (readonly [string, string])[] = [
  ['p1.examplevisited.com', '112.68.155.4'],
  ['p3.examplehome.com', '19.31.97.3'],
];

/** Lines of these headers of a message, whole. */
function linesOf(text: string, names: readonly string[]): string {
  const unfolded = text.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  return unfolded.filter((line) => names.some((name) => line.startsWith(`${name}: `))).join('\r\n');
}

/** A proxy with the part of one in a flow. Its branches take the place of those that the flow shows for it. */
export class PlayedProxy {
  readonly #part: FlowProxy;
  readonly #rig: ProxyRig;
  readonly #flow: FlowState;
  /** Our branches and To tags by those of the flow. */
  readonly #branches = new Map<string, string>();
  readonly #tags = new Map<string, string>();

  private constructor(part: FlowProxy, rig: ProxyRig, flow: FlowState) {
    this.#part = part;
    this.#rig = rig;
    this.#flow = flow;
  }

  static async start(part: FlowProxy): Promise<PlayedProxy> {
    const flow: FlowState = { reply: null, adds: '' };
    const port = part.protocol === 'tls' ? 5061 : 5060;
    const point: ListenPoint = {
      protocol: part.protocol,
      family: 4,
      address: '10.0.0.1',
      port,
      advertisedHost: part.host,
      advertisedPort: port,
      sentBy: `${part.host}:${port}`,
    };
    const rig = await proxyRig(routesOf(part, flow), {
      modules: { pv: {}, sl: {}, tm: {}, rr: { append_fromtag: false }, siputils: {}, textops: {}, path: {} },
      points: [point],
      alias: [{ host: part.host, port: null }],
    });
    return new PlayedProxy(part, rig, flow);
  }

  /** Has the proxy get a message of the flow, and compares what it sends with what it sends in the flow. */
  async passes(input: string, outputs: readonly string[]): Promise<void> {
    this.#prepare(input, outputs);
    const from = { address: sourceOf(input), port: 5060, protocol: this.#part.protocol };
    await this.#rig.receive(this.#withOurs(input), from);
    // Some flows leave out the 100 that each proxy sends.
    const isHundredShown = outputs.some((text) => kindOf(text) === '100');
    const sent = this.#rig.take().filter(({ text }) => isHundredShown || kindOf(text) !== '100');
    assert.deepEqual(sent.map(({ text }) => kindOf(text)).toSorted(), outputs.map(kindOf).toSorted());
    for (const output of outputs) {
      const found = sent.find(({ text }) => kindOf(text) === kindOf(output));
      assert.ok(found !== undefined);
      this.#compare(input, output, found);
    }
  }

  /** Tells the routes what only the flow knows: which error the proxy answers itself, and the values of headers that it adds. */
  #prepare(input: string, outputs: readonly string[]): void {
    const [first = ''] = outputs;
    const isRefused = !isResponse(input) && isResponse(first) && Number(kindOf(first)) >= 300;
    this.#flow.reply = isRefused
      ? { status: Number(kindOf(first)), headers: linesOf(first, ['Proxy-Authenticate', 'Contact']) }
      : null;
    this.#flow.adds = linesOf(first, this.#part.adds ?? []);
  }

  #withOurs(input: string): string {
    let text = input;
    const tag = toTagOf(input);
    text = text.replace(`;tag=${tag}\r\n`, `;tag=${this.#tags.get(tag) ?? tag}\r\n`);
    for (const via of viaValues(input)) {
      const ours = hostOf(via) === this.#part.host ? this.#branches.get(branchOf(via)) : undefined;
      if (ours !== undefined) text = text.replace(`;branch=${branchOf(via)}`, `;branch=${ours}`);
    }
    return text;
  }

  #compare(input: string, output: string, { text, to }: Sent): void {
    const [theirs = ''] = viaValues(output);
    const [ours = ''] = viaValues(text);
    if (!isResponse(output)) this.#branches.set(branchOf(theirs), branchOf(ours));
    else if (!isResponse(input)) this.#tags.set(toTagOf(output), toTagOf(text));
    if (isResponse(output))
      assert.equal(to.split(':')[0], /;received=([^;\s]+)/.exec(theirs)?.[1] ?? hostOf(theirs));
    const [wanted, found] = [output, text].map((each) => shown(each, this.#part.host));
    assert.ok(wanted !== undefined && found !== undefined);
    for (const each of [wanted, found]) leaveOut(each, { input, output });
    assert.deepEqual(found, wanted);
  }
}

interface FlowState {
  reply: { readonly status: number; readonly headers: string } | null;
  adds: string;
}

function routesOf(part: FlowProxy, flow: FlowState) {
  return defineRoutes({
    uses: ['pv', 'sl', 'tm', 'rr', 'siputils', 'textops', 'path'],
    async request({ msg, pv, ksr }) {
      if (flow.reply !== null) {
        await ksr.textops.append_to_reply(flow.reply.headers);
        return ksr.sl.sl_send_reply(flow.reply.status, 'Refused');
      }
      ksr.rr.loose_route();
      const moved = part.location?.[msg.uri];
      if (moved !== undefined) pv.$ru.set(moved);
      if (part.strips !== undefined) ksr.textops.remove_hf(part.strips);
      if (part.records === true && !ksr.siputils.has_totag()) ksr.rr.record_route_preset(part.host);
      if (part.addsPath === true) ksr.path.add_path();
      if (flow.adds !== '') await ksr.textops.append_hf(flow.adds);
      for (const expression of part.rewrites?.requests ?? []) await ksr.textops.subst_body(expression);
      if (part.rewrites !== undefined) ksr.tm.t_on_reply('rewritten');
      pv.$du.set(`sip:${NEXT_HOP};transport=${part.protocol}`);
      return ksr.tm.t_relay();
    },
    onreply: {
      async rewritten({ ksr }) {
        for (const expression of part.rewrites?.responses ?? []) await ksr.textops.subst_body(expression);
      },
    },
  });
}

/** The tag of To, '' when it has none. */
function toTagOf(text: string): string {
  return /^To: .*;tag=(.*)\r$/m.exec(text)?.[1] ?? '';
}

/** The address that a message comes from. */
function sourceOf(text: string): string {
  const [via] = viaValues(text);
  return isResponse(text) || via === undefined ? NEXT_HOP : addressOf(hostOf(via));
}

/** The address of whoever has this host in its Via. */
export function addressOf(host: string): string {
  return ADDRESSES[host] ?? (isIP(host) === 0 ? UNKNOWN_ADDRESS : host);
}

/** Takes out in what the proxy may differ from the flow. */
function leaveOut(
  message: Shown,
  { input, output }: { readonly input: string; readonly output: string },
): void {
  const { headers } = message;
  // RFC 5393 is younger than the flows.
  headers.delete('max-breadth');
  // The examples of RFC 3327 leave it out; a proxy adds it (RFC 3261 16.6 step 3).
  if (!isResponse(input) && !/^Max-Forwards:/m.test(input)) headers.delete('max-forwards');
  const path = headers.get('path');
  if (path !== undefined)
    headers.set(
      'path',
      path.map((value) => PATH_HOSTS.reduce((text, [name, address]) => text.replace(name, address), value)),
    );
  const isOurs = isResponse(input) !== isResponse(output) || kindOf(output) === 'CANCEL';
  if (!isOurs) return;
  // Of what the proxy makes itself, it chooses the reason phrase, its To tag, and how far an ACK or CANCEL may go.
  if (isResponse(output)) {
    message.start = message.start.split(' ', 2).join(' ');
    headers.set(
      'to',
      (headers.get('to') ?? []).map((value) => value.replace(/;tag=.*/, '')),
    );
  } else headers.delete('max-forwards');
}
