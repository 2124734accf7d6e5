import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { headerOf, inDialogOf, inviteOf, responseTo, SDP } from '../../core/main/plain-call.ts';

/** How long the callee rings and the call lasts, ms. */
const RING_MS = 50;
const TALK_MS = 100;
/** How long messages may still come after the last call was started, ms. */
const TAIL_MS = 2_000;
const BUFFER_BYTES = 8_388_608;
const HOST = '127.0.0.1';

/** Calls to make, from within this process. */
export interface UdpLoad {
  /** Port that calls go to, and the callee's, which is the same without a proxy. */
  readonly target: number;
  readonly callee: number;
  /** Calls a second, and in all. */
  readonly rate: number;
  readonly calls: number;
  /** Whether the callee only rings: calls then stay as they are. */
  readonly onlyRings: boolean;
  /** Calls before those that count, at the same rate: in them the code of this process gets compiled. */
  readonly warmUp: number;
}

/** What became of the calls. */
export interface UdpLoadResult {
  /** Calls that rang, and calls that went well to their end. */
  readonly ringing: number;
  readonly ended: number;
  /** From an INVITE to its 180, µs, in the order of the calls; NaN where none came. */
  readonly ringUs: Float64Array;
}

async function bound(port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES });
  socket.bind(port, HOST);
  await once(socket, 'listening');
  return socket;
}

/** Answers each INVITE with 180 at once and, if it does more than ring, with 200 after RING_MS; and each BYE. */
function answer(socket: Socket, { callee, onlyRings }: UdpLoad): void {
  const reply = (to: RemoteInfo, text: string): void => socket.send(text, to.port, to.address);
  socket.on('message', (bytes, from) => {
    const text = bytes.toString('latin1');
    if (text.startsWith('INVITE ')) {
      reply(from, responseTo(text, '180 Ringing', { callee }));
      if (!onlyRings)
        setTimeout(() => reply(from, responseTo(text, '200 OK', { callee, body: SDP })), RING_MS);
    } else if (text.startsWith('BYE ')) {
      reply(from, responseTo(text, '200 OK', { callee }));
    }
  });
}

/** The calls of a load as their caller sees them. */
class Caller {
  readonly #socket: Socket;
  readonly #target: number;
  readonly #port: number;
  readonly #startedAt: Float64Array;
  /** Makes the ids of this run's calls differ from those of others that a proxy still knows. */
  readonly #run = randomBytes(4).toString('hex');
  readonly ringUs: Float64Array;
  ringing = 0;
  ended = 0;

  constructor(socket: Socket, { target, calls }: UdpLoad) {
    this.#socket = socket;
    this.#target = target;
    this.#port = socket.address().port;
    this.#startedAt = new Float64Array(calls);
    this.ringUs = new Float64Array(calls).fill(Number.NaN);
    socket.on('message', (bytes) => this.#receive(bytes));
  }

  /** Sends the INVITE of a call. */
  start(call: number): void {
    const invite = inviteOf(this.#id(call), { caller: this.#port, target: this.#target });
    this.#startedAt[call] = performance.now();
    this.#send(invite);
  }

  /** Begins with the number of the call, so that a response tells it. */
  #id(call: number): string {
    return `${call}-${this.#run}`;
  }

  #send(text: string): void {
    this.#socket.send(text, this.#target, HOST);
  }

  #receive(bytes: Buffer): void {
    const now = performance.now();
    const text = bytes.toString('latin1');
    const call = Number.parseInt(headerOf(text, 'Call-ID'), 10);
    const isInvite = text.includes('\r\nCSeq: 1 INVITE');
    if (text.startsWith('SIP/2.0 180') && Number.isNaN(this.ringUs[call])) {
      this.ringUs[call] = (now - (this.#startedAt[call] ?? Number.NaN)) * 1000;
      this.ringing += 1;
    } else if (text.startsWith('SIP/2.0 200') && isInvite) {
      this.#send(inDialogOf('ACK', this.#id(call), { ok: text, caller: this.#port }));
      setTimeout(
        () => this.#send(inDialogOf('BYE', this.#id(call), { ok: text, caller: this.#port })),
        TALK_MS,
      );
    } else if (text.startsWith('SIP/2.0 200')) {
      this.ended += 1;
    }
  }
}

/** Makes the calls of a load behind those of its warm-up. */
export async function makeCalls(load: UdpLoad): Promise<UdpLoadResult> {
  if (load.warmUp > 0) await play({ ...load, calls: load.warmUp });
  return play(load);
}

/** Makes calls at an even pace, however they fare: a slow answer delays no other call. Nothing is sent again. */
async function play(load: UdpLoad): Promise<UdpLoadResult> {
  const { rate, calls, onlyRings } = load;
  const [callerSocket, calleeSocket] = [await bound(0), await bound(load.callee)];
  answer(calleeSocket, load);
  const caller = new Caller(callerSocket, load);
  const begun = performance.now();
  for (let started = 0; started < calls; ) {
    await delay(1);
    const due = Math.min(calls, Math.floor(((performance.now() - begun) * rate) / 1000));
    for (; started < due; started += 1) caller.start(started);
  }
  const end = performance.now() + RING_MS + TALK_MS + TAIL_MS;
  const isDone = (): boolean => (onlyRings ? caller.ringing : caller.ended) === calls;
  while (!isDone() && performance.now() < end) await delay(10);
  callerSocket.close();
  calleeSocket.close();
  return caller;
}
