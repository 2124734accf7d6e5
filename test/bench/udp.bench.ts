/**
 * CPU per datagram that is received and sent on, through Transports and through a bare socket of node:dgram: the floor under every
 * message the proxy handles. A process of its own sends, so that its CPU does not count.
 *
 *     node dist/test/bench/udp.bench.js [datagrams]
 */
import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../../core/log.ts';
import { TimerWheel } from '../../core/timer-wheel.ts';
import { Transports } from '../../core/transport/transports.ts';

const BYTES = 600;
/** Sent and not yet back. */
const WINDOW = 64;
const HOST = '127.0.0.1';
const DATAGRAMS = Number(process.argv[2] ?? 200_000);

/** Sends `count` datagrams to a port that sends each back, and ends. */
async function load(port: number, count: number): Promise<void> {
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  const bytes = Buffer.alloc(BYTES, 'x');
  let sent = 0;
  let back = 0;
  const sendOne = (): void => {
    sent += 1;
    socket.send(bytes, port, HOST);
  };
  // A lost datagram must not stop the run.
  const refill = setInterval(() => {
    if (back < count) sendOne();
  }, 100);
  socket.on('message', () => {
    back += 1;
    if (sent < count) sendOne();
    if (back < count) return;
    clearInterval(refill);
    socket.close();
  });
  for (let i = 0; i < WINDOW; i += 1) sendOne();
}

function quiet(): void {}
const log: Logger = {
  isEnabled: () => false,
  debug: quiet,
  info: quiet,
  notice: quiet,
  warn: quiet,
  error: quiet,
  child: () => log,
};

interface Echo {
  readonly port: number;
  close(): Promise<void>;
}

async function throughTransports(): Promise<Echo> {
  const transports = new Transports({
    listen: [{ protocol: 'udp', host: HOST, port: 0 }],
    log,
    clock: new TimerWheel({ onError: quiet }),
    sink: (bytes, { point, address, port }) =>
      transports.send(bytes, { protocol: 'udp', address, port, point }, quiet),
  });
  await transports.start();
  return { port: transports.points[0]?.port ?? 0, close: () => transports.close() };
}

async function throughDgram(): Promise<Echo> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address, quiet));
  socket.bind(0, HOST);
  await once(socket, 'listening');
  return { port: socket.address().port, close: () => new Promise((resolve) => socket.close(resolve)) };
}

/** µs of this process's CPU per datagram. */
async function measure(start: () => Promise<Echo>): Promise<number> {
  const echo = await start();
  const run = async (count: number): Promise<void> => {
    const child = fork(fileURLToPath(import.meta.url), ['load', String(echo.port), String(count)]);
    await once(child, 'exit');
  };
  await run(DATAGRAMS / 10);
  const before = process.cpuUsage();
  await run(DATAGRAMS);
  const used = process.cpuUsage(before);
  await echo.close();
  return (used.user + used.system) / DATAGRAMS;
}

if (process.argv[2] === 'load') {
  await load(Number(process.argv[3]), Number(process.argv[4]));
} else {
  for (const [name, start] of [
    ['node:dgram', throughDgram],
    ['Transports', throughTransports],
    ['node:dgram', throughDgram],
    ['Transports', throughTransports],
  ] as const) {
    process.stdout.write(
      `${name}: ${(await measure(start)).toFixed(2)} µs of CPU per datagram received and sent\n`,
    );
  }
}
