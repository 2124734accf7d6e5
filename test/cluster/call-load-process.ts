import { setTimeout as delay } from 'node:timers/promises';
import { Endpoint, type Incoming, isGood, routesOf } from './endpoint.ts';

// A process of its own that makes short calls through several proxies until SIGTERM, as caller and as callee of each:
//   call-load-process.js PORT...
// It prints what it knows of the calls that were let through, times in ns of the system's clock:
//   + TIME id ASKED KIND PORT   the callee has the INVITE that was first sent at ASKED
//   - TIME id                   the callee has the BYE

/** Callers that call all the time. */
const CALLERS = 24;
/** Length of a call, ms. */
const CALL_MS = 30;
/** How long the callee that loses a fork rings, ms: its refusal comes in the middle of the call that the other one took. */
const LOSER_MS = 10;
/** How often a request is sent before its caller gives up. */
const TRIES = 4;
/** How long a proxy that has not answered gets no calls, ms. */
const QUIET_MS = 1000;
/** Pause of a caller who was refused, ms. */
const PAUSE_MS = 5;
/** Kinds of call, in turn: `lost` never sends a BYE; `again` sends its INVITE several times at once; `forked` sends two, one of which is refused. */
const KINDS = ['plain', 'again', 'plain', 'forked', 'plain', 'again', 'refused', 'forked', 'plain', 'forked'];
/** One call in so many is `lost`: more would leave no room for others. */
const LOST_EVERY = 30;

const proxies = process.argv.slice(2).map(Number);
/** Calls that are up, as their callee knows them, and when each was asked for. */
const up = new Set<string>();
const asked = new Map<string, string>();
/** Proxies that have not answered, with until when they get no calls. */
const quiet = new Map<number, number>();

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The callee's part. */
function take({ method, id, user, port, answer }: Incoming): void {
  if (method === 'BYE') {
    if (up.delete(id)) say(`- ${process.hrtime.bigint()} ${id}`);
    answer('200 OK');
  } else if (user === 'loser') {
    setTimeout(() => answer('486 Busy Here'), LOSER_MS);
  } else {
    if (!up.has(id)) say(`+ ${process.hrtime.bigint()} ${id} ${asked.get(id)} ${port}`);
    up.add(id);
    answer('200 OK');
  }
}

const endpoint = await Endpoint.open(take);

/** A proxy by its turn, or the next one that answers. */
function proxyFor(turn: number): number {
  const now = performance.now();
  const order = proxies.map((_, index) => proxies[(turn + index) % proxies.length] ?? 0);
  return order.find((port) => (quiet.get(port) ?? 0) <= now) ?? order[0] ?? 0;
}

async function ask(port: number, request: Parameters<Endpoint['send']>[1]): Promise<string> {
  const text = await endpoint.ask(port, request, TRIES);
  if (text === '') quiet.set(port, performance.now() + QUIET_MS);
  return text;
}

/** Ends a call by any proxy that answers. */
async function hangUp(id: string, text: string, turn: number): Promise<void> {
  for (let attempt = 0; attempt < proxies.length; attempt++) {
    const port = proxyFor(turn);
    const branch = `z9hG4bK${id}bye${attempt}`;
    const bye = { method: 'BYE', id, branch, user: 'up', routes: routesOf(text, port) } as const;
    if ((await ask(port, bye)) !== '') return;
  }
}

async function call(id: string, kind: string, number: number): Promise<void> {
  const port = proxyFor(number);
  asked.set(id, `${process.hrtime.bigint()} ${kind}`);
  const invite = { method: 'INVITE', id, branch: `z9hG4bK${id}a`, user: 'up' } as const;
  const loser = { ...invite, branch: `z9hG4bK${id}b`, user: 'loser' };
  const [text] = await Promise.all([
    ask(port, kind === 'refused' ? loser : { ...invite, copies: kind === 'again' ? 3 : 1 }),
    kind === 'forked' ? ask(proxyFor(number >> 2), loser) : '',
  ]);
  if (!isGood(text)) await delay(PAUSE_MS);
  else if (kind !== 'lost') {
    await delay(CALL_MS);
    await hangUp(id, text, number >> 1);
  }
}

const ended = new AbortController();
process.once('SIGTERM', () => ended.abort());
let made = 0;
async function caller(): Promise<void> {
  while (!ended.signal.aborted) {
    const number = made++;
    const kind = number % LOST_EVERY === 0 ? 'lost' : (KINDS[number % KINDS.length] ?? 'plain');
    await call(`load-${process.pid}-${number}`, kind, number);
  }
}
await Promise.all(Array.from({ length: CALLERS }, caller));
endpoint.close();
