import { randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sources } from './assemble.ts';
import { CallEndpoint, type StackAddress, type StackMessage, type StackTarget } from './call-endpoint.ts';
import { CallLadder } from './call-ladder.ts';
import { readConfiguration } from './configuration.ts';
import { parseHostPort } from './listen-address.ts';
import { LOOPBACK } from './plain-call.ts';

/** Longest wait for any one step of the call, ms: a few retransmissions of RFC 3261 17.1.1.2 fit in. */
const STEP_TIMEOUT_MS = 3000;
/** How long the callee's telephone rings, ms. */
const RING_MS = 100;
/** How long the two talk, ms. */
const TALK_MS = 200;

/** Port that a host without one means (RFC 3261 19.1.2). */
const DEFAULT_PORT = 5060;

/** Something that should have come and did not; its message is for the user. */
class Missing extends Error {}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

interface CallOptions {
  /** Whom to call; without it a callee of our own. */
  readonly to?: string | undefined;
  /** The proxy's `host:port`; without it the first listen address of the configuration. */
  readonly proxy?: string | undefined;
}

/** Places a call through the running proxy and prints every step. Returns the exit code: 0 when every step came, else 1. */
export async function call(sources: Sources, options: CallOptions): Promise<number> {
  const proxy = options.proxy === undefined ? configuredProxy(sources) : namedProxy(options.proxy);
  if (typeof proxy === 'string') {
    process.stderr.write(`${proxy}\n`);
    return 1;
  }
  try {
    await placeCall(proxy, options.to ?? null, new CallLadder(print));
    print('every step came');
    return 0;
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

function configuredProxy(sources: Sources): StackTarget | string {
  const { configuration, mistakes } = readConfiguration(sources.file, sources);
  const first = configuration.listen.find(({ protocol }) => protocol === 'udp');
  if (first === undefined)
    return mistakes[0]?.message ?? `${sources.file} names no listen address for UDP; --proxy HOST:PORT does`;
  const address = first.host === '0.0.0.0' ? LOOPBACK : first.host;
  if (!isIPv4(address))
    return `the listen address ${first.host} is not an IPv4 address; --proxy HOST:PORT names another`;
  return { address, port: first.port };
}

function namedProxy(text: string): StackTarget | string {
  const parsed = parseHostPort(text);
  if (parsed === null || !isIPv4(parsed.host))
    return `--proxy ${text}: expected an IPv4 address and port, such as 127.0.0.1:5060`;
  return { address: parsed.host, port: parsed.port ?? DEFAULT_PORT };
}

async function placeCall(proxy: StackTarget, to: string | null, ladder: CallLadder): Promise<void> {
  const callee = to === null ? await openCallee(ladder) : null;
  const caller = await CallEndpoint.open({
    onMessage: (direction, message) => {
      if (message.headers.cseq.method !== 'OPTIONS') ladder.caller(direction, message);
    },
    onRequest: (_request, reply) => reply?.(405, 'Method Not Allowed'),
  });
  try {
    await converse({
      caller,
      callee,
      proxy,
      uri: to ?? `sip:demo@${LOOPBACK}:${callee?.endpoint.port}`,
      ladder,
    });
  } finally {
    caller.close();
    callee?.endpoint.close();
  }
}

interface Callee {
  readonly endpoint: CallEndpoint;
  /** Settles when the ACK has come. */
  readonly acknowledged: Promise<void>;
}

async function openCallee(ladder: CallLadder): Promise<Callee> {
  let acknowledge: () => void;
  const acknowledged = new Promise<void>((resolve) => {
    acknowledge = resolve;
  });
  const endpoint: CallEndpoint = await CallEndpoint.open({
    onMessage: (direction, message) => ladder.callee(direction, message),
    onRequest: (request, reply) => {
      if (request.method === 'ACK') acknowledge();
      else if (request.method === 'INVITE') {
        const headers = { to: withTag(request.headers.to), contact: [{ uri: endpoint.uri }] };
        reply?.(180, 'Ringing', headers);
        setTimeout(() => reply?.(200, 'OK', headers), RING_MS);
      } else reply?.(200, 'OK');
    },
  });
  return { endpoint, acknowledged };
}

interface Call {
  readonly caller: CallEndpoint;
  readonly callee: Callee | null;
  readonly proxy: StackTarget;
  readonly uri: string;
  readonly ladder: CallLadder;
}

async function converse({ caller, callee, proxy, uri, ladder }: Call): Promise<void> {
  const callId = `${randomBytes(8).toString('hex')}@${LOOPBACK}`;
  const show = async (when: string): Promise<State> => {
    const state = await askState(caller, proxy, callId);
    ladder.note(`${when}: active calls ${state.active}, state cached of this call: ${state.call}`);
    return state;
  };
  await show('before');

  const from = withTag({ uri: `sip:caller@${LOOPBACK}:${caller.port}` });
  const invite: StackMessage = {
    method: 'INVITE',
    uri,
    headers: {
      to: { uri },
      from,
      'call-id': callId,
      cseq: { method: 'INVITE', seq: 1 },
      contact: [{ uri: caller.uri }],
      'max-forwards': 70,
    },
  };
  const answer = await exchange(caller, invite, proxy);
  const inDialog = dialogOf(answer, proxy);
  const request = (method: string, seq: number): StackMessage => ({
    method,
    uri: inDialog.uri,
    headers: {
      to: answer.headers.to,
      from,
      'call-id': callId,
      cseq: { method, seq },
      ...(inDialog.route.length > 0 && { route: inDialog.route }),
      'max-forwards': 70,
    },
  });
  caller.ack(request('ACK', 1), inDialog.target);
  if (callee !== null) await within(callee.acknowledged, 'the ACK did not reach the callee');

  await delay(TALK_MS);
  const during = await show('during');
  await exchange(caller, request('BYE', 2), inDialog.target);
  const after = await show('after');
  if (during.call === NOT_CACHED) throw new Missing('no state of the call was cached while it lasted');
  if (after.call !== NOT_CACHED) throw new Missing('the state of the call is still cached after its end');
}

/** What the shipped routes answer when a call has no state. */
const NOT_CACHED = 'none';

interface State {
  readonly active: string;
  readonly call: string;
}

/** Asks the proxy itself: with the embedded store the state is in its process. The shipped routes answer this from this machine. */
async function askState(caller: CallEndpoint, proxy: StackTarget, callId: string): Promise<State> {
  const uri = `sip:status@${proxy.address}:${proxy.port}`;
  const { headers } = await exchange(
    caller,
    {
      method: 'OPTIONS',
      uri,
      headers: {
        to: { uri },
        from: withTag({ uri: caller.uri }),
        'call-id': randomBytes(8).toString('hex'),
        cseq: { method: 'OPTIONS', seq: 1 },
        'max-forwards': 70,
        'x-call-id': callId,
      },
    },
    proxy,
  );
  const active = headers['x-active-calls'];
  const state = headers['x-call-state'];
  if (typeof active === 'string' && typeof state === 'string') return { active, call: state };
  throw new Missing(
    'the answer to OPTIONS sip:status has no X-Active-Calls and X-Call-State; the shipped config/routes.ts gives them',
  );
}

/** Sends a request and waits for its 2xx. */
async function exchange(
  caller: CallEndpoint,
  message: StackMessage,
  target: StackTarget,
): Promise<StackMessage> {
  const { method } = message;
  const where = `udp:${target.address}:${target.port}`;
  let heard = false;
  const final = new Promise<StackMessage>((resolve) => {
    caller.request(message, target, (response) => {
      heard = true;
      if ((response.status ?? 0) >= 200) resolve(response);
    });
  });
  const response = await within(final, () =>
    heard
      ? `${method}: no final answer came from ${where} within ${STEP_TIMEOUT_MS} ms`
      : `nothing answers ${method} at ${where}: is the proxy running?`,
  );
  if ((response.status ?? 0) < 300) return response;
  throw new Missing(`${method}: ${response.status} ${response.reason} instead of a 2xx`);
}

/** Where requests of the dialog go (RFC 3261 12.1.2): through the proxies that recorded a route, else straight to the contact. */
function dialogOf(answer: StackMessage, proxy: StackTarget) {
  const [contact] = answer.headers.contact ?? [];
  const uri = typeof contact?.uri === 'string' ? contact.uri : null;
  if (uri === null) throw new Missing('the 200 has no Contact');
  const route = (answer.headers['record-route'] ?? []).toReversed();
  if (route.length > 0) return { uri, route, target: proxy };
  const [, host, port] = /^sip:(?:[^@]*@)?([\d.]+)(?::(\d+))?/.exec(uri) ?? [];
  if (host === undefined) throw new Missing(`the Contact ${uri} is not an IPv4 address`);
  return { uri, route, target: { address: host, port: Number(port ?? DEFAULT_PORT) } };
}

function withTag(address: StackAddress): StackAddress {
  return { ...address, params: { ...address.params, tag: randomBytes(4).toString('hex') } };
}

async function within<T>(promise: Promise<T>, missing: string | (() => string)): Promise<T> {
  const timeout = new AbortController();
  const late = delay(STEP_TIMEOUT_MS, undefined, { signal: timeout.signal }).then(() => {
    throw new Missing(typeof missing === 'string' ? missing : missing());
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timeout.abort();
    // What the abort makes of the wait that is over is no news.
    await late.catch(() => undefined);
  }
}
