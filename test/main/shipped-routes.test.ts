import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { PATIENCE_MS, Running, SHIPPED } from './program.ts';

/** One end of a call, by hand: what it sends is written out, so that nothing of the proxy tests itself. */
class Peer {
  readonly #socket: Socket;
  readonly #got: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes) => {
      this.#got.push(bytes.toString('latin1'));
      socket.emit('taken');
    });
  }

  static async open(address = '127.0.0.1'): Promise<Peer> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    peers.push(socket);
    return new Peer(socket);
  }

  get at(): string {
    const { address, port } = this.#socket.address();
    return `${address}:${port}`;
  }

  send(...lines: readonly string[]): void {
    this.#socket.send(
      Buffer.from(`${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`, 'latin1'),
      port,
      '127.0.0.1',
    );
  }

  /** The first message, come or yet to come, whose first line matches; those before it are gone. */
  async next(pattern: RegExp): Promise<string> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      for (let message = this.#got.shift(); message !== undefined; message = this.#got.shift()) {
        if (pattern.test(message.slice(0, message.indexOf('\r\n')))) return message;
      }
      await once(this.#socket, 'taken', { signal });
    }
  }

  /** Sends a request to the proxy and gives its answer. */
  async ask(options: RequestOptions): Promise<string> {
    this.send(...request(this, options));
    return this.next(/^SIP\/2\.0 [2-6]/);
  }
}

const peers: Socket[] = [];
let proxy: Running;
let port = 0;

before(async () => {
  proxy = new Running('-f', SHIPPED, '-l', 'udp:127.0.0.1:0');
  port = await proxy.port();
});
after(() => {
  for (const socket of peers) socket.close();
});

interface RequestOptions {
  readonly method: string;
  readonly uri: string;
  readonly callId?: string;
  readonly branch?: string;
  readonly toTag?: string;
  readonly maxForwards?: number;
  readonly more?: readonly string[];
}

let count = 0;
function request(from: Peer, options: RequestOptions): string[] {
  const {
    method,
    uri,
    callId = `call-${++count}`,
    branch = `z9hG4bK${++count}`,
    toTag,
    maxForwards = 70,
    more = [],
  } = options;
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${from.at};branch=${branch}`,
    `From: <sip:a@${from.at}>;tag=from`,
    `To: <sip:b@example.com>${toTag === undefined ? '' : `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:a@${from.at}>`,
    `Max-Forwards: ${maxForwards}`,
    ...more,
  ];
}

/** A response by the callee to a request that it got. */
function answer(message: string, status: string): string[] {
  const copied = message.split('\r\n').filter((line) => /^(Via|Record-Route|From|Call-ID|CSeq):/i.test(line));
  return [`SIP/2.0 ${status}`, ...copied, 'To: <sip:b@example.com>;tag=to'];
}

/** Active calls, and the state of one, as the proxy tells them. */
async function told(peer: Peer, callId: string): Promise<readonly [string | undefined, string | undefined]> {
  const text = await peer.ask({
    method: 'OPTIONS',
    uri: `sip:status@127.0.0.1:${port}`,
    more: [`X-Call-ID: ${callId}`],
  });
  return [/X-Active-Calls: (.*)\r/.exec(text)?.[1], /X-Call-State: (.*)\r/.exec(text)?.[1]];
}

const answers: readonly (readonly [
  string,
  Omit<RequestOptions, 'uri'> & { readonly user?: string },
  string,
])[] = [
  ['OPTIONS for the proxy itself', { method: 'OPTIONS' }, '200 OK'],
  ['a request without hops left', { method: 'MESSAGE', user: 'b@', maxForwards: 0 }, '483 Too Many Hops'],
  ['a scanner', { method: 'OPTIONS', user: '100@', more: ['User-Agent: friendly-scanner'] }, '403 Forbidden'],
  ['a CANCEL of nothing', { method: 'CANCEL', user: 'b@' }, '481 Call/Transaction Does Not Exist'],
  ['a request of a dialog without Route', { method: 'BYE', user: 'b@', toTag: 'x' }, '404 Not Here'],
];
for (const [name, { user = '', ...options }, expected] of answers) {
  test(`shipped routes: ${name} gets ${expected}`, async () => {
    const peer = await Peer.open();
    const text = await peer.ask({ ...options, uri: `sip:${user}127.0.0.1:${port}` });
    assert.equal(text.split('\r\n')[0], `SIP/2.0 ${expected}`);
  });
}

test('shipped routes: a call that is refused is counted off, and its state is gone', async () => {
  const caller = await Peer.open();
  const callee = await Peer.open();
  caller.send(...request(caller, { method: 'INVITE', uri: `sip:b@${callee.at}`, callId: 'refused' }));
  const invite = await callee.next(/^INVITE/);
  assert.deepEqual(await told(caller, 'refused'), ['1', '127.0.0.1']);
  callee.send(...answer(invite, '486 Busy Here'));
  await callee.next(/^ACK/);
  await caller.next(/^SIP\/2\.0 486/);
  assert.deepEqual(await told(caller, 'refused'), ['0', 'none']);
});

test('shipped routes: a call that is cancelled is counted off, and its state is gone', async () => {
  const caller = await Peer.open();
  const callee = await Peer.open();
  const call = { uri: `sip:b@${callee.at}`, callId: 'cancelled', branch: 'z9hG4bKcancelled' };
  caller.send(...request(caller, { ...call, method: 'INVITE' }));
  const invite = await callee.next(/^INVITE/);
  callee.send(...answer(invite, '180 Ringing'));
  await caller.next(/^SIP\/2\.0 180/);
  caller.send(...request(caller, { ...call, method: 'CANCEL' }));
  callee.send(...answer(await callee.next(/^CANCEL/), '200 OK'));
  callee.send(...answer(invite, '487 Request Terminated'));
  await caller.next(/^SIP\/2\.0 487/);
  assert.deepEqual(await told(caller, 'cancelled'), ['0', 'none']);
});

test('shipped routes: a call that cannot be sent anywhere is counted off', async () => {
  const caller = await Peer.open();
  caller.send(...request(caller, { method: 'INVITE', uri: 'sip:b@[2001:db8::1]', callId: 'nowhere' }));
  await caller.next(/^SIP\/2\.0 [45]/);
  // The answer goes out first, and is counted off then.
  const giveUp = AbortSignal.timeout(PATIENCE_MS);
  while ((await told(caller, 'nowhere'))[0] !== '0') giveUp.throwIfAborted();
  assert.deepEqual(await told(caller, 'nowhere'), ['0', 'none']);
});

test('shipped routes: a BYE from both sides counts a call off once', async () => {
  const caller = await Peer.open();
  const callee = await Peer.open();
  const other = await Peer.open();
  other.send(...request(other, { method: 'INVITE', uri: `sip:b@${callee.at}`, callId: 'goes-on' }));
  const goesOn = await callee.next(/^INVITE/);
  caller.send(...request(caller, { method: 'INVITE', uri: `sip:b@${callee.at}`, callId: 'twice' }));
  const invite = await callee.next(/^INVITE/);
  assert.deepEqual(await told(caller, 'twice'), ['2', '127.0.0.1']);
  const [, route] = /^Record-Route: (.*)\r$/m.exec(invite) ?? assert.fail('no Record-Route');
  for (const [one, another] of [
    [caller, callee],
    [callee, caller],
  ] as const) {
    one.send(
      ...request(one, {
        method: 'BYE',
        uri: `sip:x@${another.at}`,
        callId: 'twice',
        toTag: 'to',
        more: [`Route: ${route}`],
      }),
    );
    another.send(...answer(await another.next(/^BYE/), '200 OK'));
    await one.next(/^SIP\/2\.0 200/);
    assert.deepEqual(await told(other, 'twice'), ['1', 'none']);
  }
  callee.send(...answer(goesOn, '486 Busy Here'));
  await other.next(/^SIP\/2\.0 486/);
  assert.deepEqual(await told(other, 'goes-on'), ['0', 'none']);
});

test('shipped routes: the status is told to this machine only, not to a stranger whose request comes back to us', async () => {
  const stranger = await Peer.open('127.0.0.2');
  const text = await stranger.ask({ method: 'OPTIONS', uri: `sip:status@127.0.0.1:${port}` });
  assert.doesNotMatch(text, /X-Active-Calls/);
});

test('shipped routes: the proxy has logged no error, and stops with exit code 0', async () => {
  assert.equal(await proxy.ends('SIGTERM'), 0);
  assert.doesNotMatch(proxy.err, / ERROR /);
});
