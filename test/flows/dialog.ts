import assert from 'node:assert/strict';
import type { ListenPoint } from '../../core/sip/hop.ts';
import type { Agent, Arrived } from './agent.ts';

/** Values of all headers of a name, list elements apart. */
export function valuesOf(text: string, name: string): string[] {
  const lines = text.split('\r\n\r\n', 1)[0]!.split('\r\n');
  const prefix = `${name.toLowerCase()}:`;
  return lines
    .filter((line) => line.toLowerCase().startsWith(prefix))
    .flatMap((line) => line.slice(prefix.length).split(/,(?=\s*<)/))
    .map((value) => value.trim());
}

let count = 0;

/** The text of a request from an agent. */
export function requestOf(
  agent: Agent,
  parts: {
    readonly method: string;
    readonly uri: string;
    readonly from: string;
    readonly to: string;
    readonly callId: string;
    readonly cseq: number;
    readonly routes?: readonly string[];
    /** Complete lines. */
    readonly headers?: string;
  },
): string {
  count += 1;
  const { method, uri, from, to, callId, cseq, routes = [], headers = '' } = parts;
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/${agent.protocol.toUpperCase()} ${agent.sentBy};branch=z9hG4bKagent${count};rport`,
    'Max-Forwards: 70',
    ...routes.map((route) => `Route: ${route}`),
    `From: ${from}`,
    `To: ${to}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
  ];
  return `${lines.join('\r\n')}\r\n${headers}Content-Length: 0\r\n\r\n`;
}

/** The text of a reply to a request. */
export function replyTo(request: string, status: number, { toTag = '', headers = '' } = {}): string {
  const [to = ''] = valuesOf(request, 'To');
  const tagged = to.includes(';tag=') || toTag === '' ? to : `${to};tag=${toTag}`;
  const copied = (name: string): string =>
    valuesOf(request, name)
      .map((value) => `${name}: ${value}\r\n`)
      .join('');
  const head = `SIP/2.0 ${status} Any\r\n${copied('Via')}${copied('Record-Route')}${copied('From')}`;
  return `${head}To: ${tagged}\r\n${copied('Call-ID')}${copied('CSeq')}${headers}Content-Length: 0\r\n\r\n`;
}

/** One side of a dialog. */
export class Side {
  readonly agent: Agent;
  readonly local: string;
  readonly contact: string;
  remote = '';
  target = '';
  routes: readonly string[] = [];
  #cseq = 0;

  constructor(agent: Agent, name: string, contactParams = '') {
    this.agent = agent;
    this.local = `<sip:${name}@example.org>;tag=${name}`;
    const transport = agent.protocol === 'udp' ? '' : `;transport=${agent.protocol}`;
    this.contact = `sip:${name}@${agent.sentBy}${transport}${contactParams}`;
  }

  get contactLine(): string {
    return `Contact: <${this.contact}>\r\n`;
  }

  /** A request within the dialog. */
  request(method: string, callId: string): string {
    if (method !== 'ACK') this.#cseq += 1;
    return requestOf(this.agent, {
      method,
      uri: this.target,
      from: this.local,
      to: this.remote,
      callId,
      cseq: this.#cseq,
      routes: this.routes,
      headers: this.contactLine,
    });
  }
}

/** A call through a proxy: what each side sends arrives at the other, and nothing of the proxy's own Routes with it. */
export class Call {
  readonly caller: Side;
  readonly callee: Side;
  readonly #callId: string;
  readonly #named: (uri: string) => ListenPoint;

  constructor(
    caller: Side,
    callee: Side,
    { callId, named }: { readonly callId: string; readonly named: (uri: string) => ListenPoint },
  ) {
    this.caller = caller;
    this.callee = callee;
    this.#callId = callId;
    this.#named = named;
  }

  /** Sets it up, by these Routes. Returns the INVITE as the callee got it. */
  async invite({ routes }: { readonly routes: readonly string[] }): Promise<Arrived> {
    const { caller, callee } = this;
    Object.assign(caller, { target: callee.contact, remote: '<sip:bob@example.org>', routes });
    await this.#send(caller, 'INVITE');
    const got = await callee.agent.next('INVITE');
    assert.deepEqual(valuesOf(got.text, 'Route'), []);
    got.answer(replyTo(got.text, 180, { toTag: 'bob', headers: callee.contactLine }));
    assert.match((await caller.agent.next(180)).text, /;tag=bob\r\n/);
    got.answer(replyTo(got.text, 200, { toTag: 'bob', headers: callee.contactLine }));
    const ok = await caller.agent.next(200);
    const recorded = valuesOf(ok.text, 'Record-Route');
    Object.assign(caller, { target: callee.contact, remote: callee.local, routes: recorded.toReversed() });
    Object.assign(callee, { target: caller.contact, remote: caller.local, routes: recorded });
    await this.#send(caller, 'ACK');
    await callee.agent.next('ACK');
    return got;
  }

  /** A request from one side, answered by the other. Returns it as it arrived. */
  async within(method: string, by: 'caller' | 'callee'): Promise<Arrived> {
    const [from, to] = by === 'caller' ? [this.caller, this.callee] : [this.callee, this.caller];
    await this.#send(from, method);
    const got = await to.agent.next(method);
    assert.deepEqual(valuesOf(got.text, 'Route'), [], 'no Route of the proxy is left');
    got.answer(replyTo(got.text, 200, { headers: to.contactLine }));
    this.#checkSource(from, await from.agent.next(200));
    if (method === 'INVITE') {
      await this.#send(from, 'ACK');
      await to.agent.next('ACK');
    }
    return got;
  }

  /** A reply over UDP comes from where its request went to (RFC 3581 4). */
  #checkSource({ agent, routes }: Side, { from }: Arrived): void {
    if (agent.protocol !== 'udp') return;
    const { port } = this.#named(routes[0] ?? '');
    assert.ok(from.endsWith(`:${port}`), `reply from ${from}, not from port ${port}`);
  }

  async #send(side: Side, method: string): Promise<void> {
    const [first] = side.routes;
    assert.ok(first !== undefined, 'the proxy is on the path');
    await side.agent.send(side.request(method, this.#callId), this.#named(first));
  }
}
