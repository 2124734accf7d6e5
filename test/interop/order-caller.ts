import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

// A process of its own that a test starts: order-caller.js PORT RATE SECONDS
// Sends INVITEs to PORT over one TCP connection, on which nothing gets lost, and prints as JSON what came back (`Outcome`).

export interface Outcome {
  /** INVITEs sent. */
  readonly sent: number;
  /** Calls that were answered with 200. */
  readonly answered: number;
  /** Those of them that had seen their 180 before. */
  readonly inOrder: number;
  /** Call-IDs of the others. */
  readonly notRinging: readonly string[];
  /** Calls that were refused: a busy proxy may turn some away. */
  readonly refused: number;
  /** Calls that got a 180 after their 200. */
  readonly late: number;
  /** INVITEs per second, as reached. */
  readonly rate: number;
}

/** Calls under way at one time: a slow machine gets calls more slowly, not more of them. */
const MAX_UNDER_WAY = 1_000;
const TICK_MS = 5;
/** The end, when nothing has come for so long and all INVITEs are sent, ms. */
const SILENCE_MS = 3_000;

const [port = 0, targetRate = 0, seconds = 0] = process.argv.slice(2).map(Number);
const socket = connect(port, '127.0.0.1');
await once(socket, 'connect');

/** Calls by Call-ID: whether the 180 and the 200 have come. */
const states = new Map<string, { ringing: boolean; answered: boolean }>();
const counts = { answered: 0, inOrder: 0, refused: 0, late: 0 };
const notRinging: string[] = [];
let heardAt = performance.now();

function take(message: string): void {
  const id = /^Call-ID: (\S+)/m.exec(message)?.[1] ?? '';
  const state = states.get(id);
  if (state === undefined) return;
  if (message.startsWith('SIP/2.0 180')) {
    if (state.answered) counts.late += 1;
    state.ringing = true;
  } else if (message.startsWith('SIP/2.0 200') && !state.answered) {
    state.answered = true;
    counts.answered += 1;
    if (state.ringing) counts.inOrder += 1;
    else notRinging.push(id);
  } else if (/^SIP\/2\.0 [3-6]/.test(message)) {
    counts.refused += 1;
  }
}

/** How many calls have got their final response. */
const ended = (): number => counts.answered + counts.refused;

let rest = '';
socket.setEncoding('latin1').on('data', (chunk: string) => {
  heardAt = performance.now();
  // No message has a body.
  const messages = (rest + chunk).split('\r\n\r\n');
  rest = messages.pop() ?? '';
  for (const message of messages) take(message);
});

function invite(number: number): string {
  const id = `order-${process.pid}-${number}`;
  states.set(id, { ringing: false, answered: false });
  return [
    `INVITE sip:callee@127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/TCP 127.0.0.1:${socket.localPort};branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    `From: <sip:caller@127.0.0.1>;tag=${number}`,
    `To: <sip:callee@127.0.0.1:${port}>`,
    `Call-ID: ${id}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:caller@127.0.0.1:${socket.localPort};transport=tcp>`,
    'Content-Length: 0\r\n\r\n',
  ].join('\r\n');
}

const startedAt = performance.now();
let sent = 0;
for (let elapsedMs = 0; elapsedMs < seconds * 1_000; elapsedMs = performance.now() - startedAt) {
  const due = Math.ceil((elapsedMs * targetRate) / 1_000);
  let text = '';
  for (; sent < due && sent - ended() < MAX_UNDER_WAY; sent += 1) text += invite(sent);
  if (text !== '') socket.write(text);
  await delay(TICK_MS);
}
const rate = Math.round((sent * 1_000) / (performance.now() - startedAt));
while (ended() < sent && performance.now() - heardAt < SILENCE_MS) await delay(TICK_MS);
socket.destroy();
const outcome: Outcome = { sent, ...counts, notRinging, rate };
process.stdout.write(`${JSON.stringify(outcome)}\n`);
