import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { PATIENCE_MS } from '../programs/child.ts';

/** How long to wait for a reply before the request is sent again, ms (T1, RFC 3261 17.1.1.1). */
const RETRANSMIT_MS = 500;

let requests = 0;

/**
 * Sends a request outside any dialog over UDP from a new port, again every T1, and returns the final reply as text.
 *
 * @throws when there is none within the patience of tests
 */
export async function ask(
  port: number,
  { method, user }: { readonly method: string; readonly user: string },
): Promise<string> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  requests += 1;
  const id = `${process.pid}-${requests}`;
  const lines = [
    `${method} sip:${user}@127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bK${id}`,
    'Max-Forwards: 70',
    'From: <sip:test@127.0.0.1>;tag=1',
    `To: <sip:${user}@127.0.0.1>`,
    `Call-ID: ${id}@127.0.0.1`,
    `CSeq: 1 ${method}`,
    'Content-Length: 0',
  ];
  const send = (): void => socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, '127.0.0.1');
  const retransmission = setInterval(send, RETRANSMIT_MS);
  try {
    send();
    const patience = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const [reply]: Buffer[] = await once(socket, 'message', { signal: patience });
      const text = reply?.toString('latin1') ?? '';
      if (!text.startsWith('SIP/2.0 1')) return text;
    }
  } finally {
    clearInterval(retransmission);
    socket.close();
  }
}
