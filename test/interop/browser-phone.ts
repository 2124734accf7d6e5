import { once } from 'node:events';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type WebSocket, WebSocketServer } from 'ws';
import { startChromium } from '../programs/chromium.ts';

/** What the page does: a phone that answers each call that comes, takes commands from the test, and tells what happens. */
const SCRIPT = `
const test = new WebSocket(location.href.replace('http', 'ws'));
const report = (name, detail) => test.send(name + ' ' + (detail ?? ''));
window.onerror = (message) => report('error', message);
let phone = null;
let session = null;
const media = { mediaConstraints: { audio: true, video: false } };
const commands = {
  start(server, uri) {
    phone = new JsSIP.UA({ sockets: [new JsSIP.WebSocketInterface(server)], uri, session_timers: false });
    for (const name of ['connected', 'disconnected', 'registered', 'registrationFailed'])
      phone.on(name, (data) => report(name, data?.cause));
    phone.on('newRTCSession', (data) => {
      session = data.session;
      for (const name of ['progress', 'accepted', 'confirmed', 'ended', 'failed'])
        session.on(name, (event) => report(name, event.originator));
      session.on('peerconnection:setremotedescriptionfailed', (error) => report('error', error));
      if (data.originator === 'remote') session.answer(media);
    });
    phone.start();
  },
  call: (uri) => phone.call(uri, media),
  hangUp: () => session.terminate(),
};
test.onmessage = ({ data }) => {
  const [name, ...args] = JSON.parse(data);
  commands[name](...args);
};
`;

/** What JsSIP tells, by the names of its events. */
export type PhoneEvent = 'registered' | 'progress' | 'accepted' | 'confirmed' | 'ended' | 'failed';

export interface BrowserPhone {
  call(uri: string): void;
  hangUp(): void;
  /** Who brought the event about, `local` or `remote`: of the first such event that has not been waited for; waits until there is one. */
  waitFor(event: PhoneEvent): Promise<string>;
}

/**
 * Serves the page on loopback, whose pages a browser lets have the microphone as if they came by HTTPS. Gives its URL, and the connection that the
 * page will make.
 */
async function servePage(
  t: TestContext,
): Promise<{ readonly url: string; readonly connected: Promise<WebSocket> }> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(import.meta.resolve('jssip'))],
    bundle: true,
    format: 'iife',
    globalName: 'JsSIP',
    write: false,
    logLevel: 'error',
  });
  const page = `<!doctype html><script>${outputFiles[0]?.text}</script><script>${SCRIPT}</script>`;
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page);
  });
  const sockets = new WebSocketServer({ server });
  const connected = new Promise<WebSocket>((resolve) => {
    sockets.once('connection', resolve);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { url: `http://127.0.0.1:${address.port}/`, connected };
}

/** Opens a phone with JsSIP in headless Chromium, registered as `uri` by the WebSocket `server`; it ends with the test. */
export async function startBrowserPhone(
  t: TestContext,
  { server, uri }: { readonly server: string; readonly uri: string },
): Promise<BrowserPhone> {
  const { url, connected } = await servePage(t);
  const chromium = startChromium(url);
  t.after(() => chromium.stop());
  let page: WebSocket | null = null;
  void connected.then((socket) => {
    page = socket;
  });
  const socket = await chromium.until<WebSocket>('connection of the page', () => page);

  const events: { readonly name: string; readonly detail: string }[] = [];
  const told: string[] = [];
  socket.on('message', (data: Buffer) => {
    const report = data.toString('utf8');
    const space = report.indexOf(' ');
    events.push({ name: report.slice(0, space), detail: report.slice(space + 1) });
    told.push(report);
  });
  const send = (...command: readonly string[]): void => socket.send(JSON.stringify(command));
  const waitFor = async (wanted: PhoneEvent): Promise<string> => {
    try {
      return await chromium.until(`event ${wanted}`, () => {
        const index = events.findIndex(({ name }) => name === wanted);
        return index === -1 ? null : (events.splice(index, 1)[0]?.detail ?? null);
      });
    } catch (error) {
      throw new Error(`the page told: ${told.join('; ')}`, { cause: error });
    }
  };
  send('start', server, uri);
  await waitFor('registered');
  return { call: (callee) => send('call', callee), hangUp: () => send('hangUp'), waitFor };
}
