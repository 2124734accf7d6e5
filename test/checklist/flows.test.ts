/** Lines about connections and flows, through a whole proxy on real sockets. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import { type Agent, agentOn } from '../flows/agent.ts';
import { replyTo, requestOf, valuesOf } from '../flows/dialog.ts';
import { realProxy } from '../flows/real-proxy.ts';
import { client } from '../transport/stream-harness.ts';

const routes = defineRoutes({
  uses: ['path', 'rr', 'siputils', 'tm'],
  request({ ksr }) {
    if (ksr.siputils.is_method('REGISTER')) ksr.path.add_path();
    else ksr.rr.loose_route();
    return ksr.tm.t_relay();
  },
});

const [UDP, TCP, WS] = [0, 1, 2];
const LISTEN = (['udp', 'tcp', 'ws'] as const).map((protocol) => ({ protocol, host: '127.0.0.1', port: 0 }));

function edge(t: TestContext) {
  return realProxy(t, {
    listen: LISTEN,
    routes,
    modules: { tm: {}, rr: {}, path: {}, siputils: {}, outbound: {} },
  });
}

/** A request of an agent, to a URI. */
function request(
  agent: Agent,
  method: string,
  uri: string,
  more: Partial<Parameters<typeof requestOf>[1]> = {},
) {
  const from = '<sip:alice@example.org>;tag=a';
  const callId = `${method}-${uri}`;
  return requestOf(agent, { method, uri, from, to: '<sip:bob@example.org>', callId, cseq: 1, ...more });
}

test('checklist 048: transport=tcp at the next hop means TCP', async (t) => {
  const proxy = await edge(t);
  const [caller, callee] = [await agentOn(t, 'udp'), await agentOn(t, 'tcp')];
  const uri = `sip:bob@${callee.sentBy};transport=tcp`;
  await caller.send(request(caller, 'MESSAGE', uri), proxy.point(UDP));
  const got = await callee.next('MESSAGE');
  assert.match(valuesOf(got.text, 'Via')[0] ?? '', /^SIP\/2\.0\/TCP /);
  got.answer(replyTo(got.text, 200, { toTag: 'b' }));
  await caller.next(200);
});

test('checklist 055: a REGISTER with Supported: path goes on with our Path above the others', async (t) => {
  const proxy = await edge(t);
  const [agent, registrar] = [await agentOn(t, 'udp'), await agentOn(t, 'udp')];
  const headers = 'Supported: path\r\nPath: <sip:p1.example.com;lr>\r\nContact: <sip:a@192.0.2.9>\r\n';
  const register = request(agent, 'REGISTER', `sip:${registrar.sentBy}`, { headers });
  await agent.send(register, proxy.point(UDP));
  const { text } = await registrar.next('REGISTER');
  assert.deepEqual(valuesOf(text, 'Path'), [
    `<sip:${proxy.point(UDP).sentBy};lr>`,
    '<sip:p1.example.com;lr>',
  ]);
});

test('checklist 135: a reply over TCP takes the connection of its request', async (t) => {
  const proxy = await edge(t);
  const callee = await agentOn(t, 'udp');
  const inbox = await client(t, proxy.point(TCP).port);
  const via = 'SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKsame';
  const text = request(callee, 'MESSAGE', `sip:bob@${callee.sentBy}`).replace(/(?<=\r\nVia: ).*/, via);
  inbox.socket.write(text);
  const got = await callee.next('MESSAGE');
  got.answer(replyTo(got.text, 200, { toTag: 'b' }));
  await inbox.has(/^SIP\/2\.0 200 /m);
});

test('checklist 135: once that connection is closed, the reply goes to received and the port of sent-by', async (t) => {
  const proxy = await edge(t);
  const [callee, caller] = [await agentOn(t, 'udp'), await agentOn(t, 'tcp')];
  const uri = `sip:bob@${callee.sentBy}`;
  // The agent listens at its sent-by; its own connection is the one that is closed.
  await caller.send(request(caller, 'MESSAGE', uri), proxy.point(TCP));
  const got = await callee.next('MESSAGE');
  await caller.close();
  got.answer(replyTo(got.text, 200, { toTag: 'b' }));
  // On a connection that the proxy opened: the agent has no other.
  await caller.next(200);
});

test('checklist 136: a WebSocket client with a Via that no one can look up gets received, and replies and requests in messages', async (t) => {
  const proxy = await edge(t);
  const [browser, callee] = [await agentOn(t, 'ws'), await agentOn(t, 'udp')];
  await browser.send(request(browser, 'MESSAGE', `sip:bob@${callee.sentBy}`), proxy.point(WS));
  const got = await callee.next('MESSAGE');
  const via = valuesOf(got.text, 'Via')[1] ?? '';
  assert.match(via, /^SIP\/2\.0\/WS df7jal23ls0d\.invalid:5060;.*;received=127\.0\.0\.1/);
  got.answer(replyTo(got.text, 200, { toTag: 'b' }));
  await browser.next(200);
});

test('checklist 137: a double CRLF on TCP gets a CRLF at once', async (t) => {
  const proxy = await edge(t);
  const inbox = await client(t, proxy.point(TCP).port);
  inbox.socket.write('\r\n\r\n');
  await inbox.has(/^\r\n$/);
});

test('checklist 138: a flow token in a Route sends the request out on that flow, and a dead flow is 430', async (t) => {
  const proxy = await edge(t);
  const [agent, registrar] = [await agentOn(t, 'tcp'), await agentOn(t, 'udp')];
  const contact = 'sip:a@192.168.255.1:9';
  const headers = `Supported: path, outbound\r\nContact: <${contact}>;reg-id=1\r\n`;
  const register = (by: Agent): string =>
    request(by, 'REGISTER', `sip:${registrar.sentBy}`, { headers, callId: by.sentBy });
  await agent.send(register(agent), proxy.point(TCP));
  const { text } = await registrar.next('REGISTER');
  const routed = valuesOf(text, 'Path');
  assert.match(routed[0] ?? '', /^<sip:flow-[\w-]+@.*;lr;ob>$/);
  await registrar.send(request(registrar, 'MESSAGE', contact, { routes: routed }), proxy.point(UDP));
  const got = await agent.next('MESSAGE');
  got.answer(replyTo(got.text, 200, { toTag: 'b' }));
  await registrar.next(200);

  await agent.close();
  // Once the proxy takes a message on a later connection it knows of the end of this one.
  const later = await agentOn(t, 'tcp');
  await later.send(register(later), proxy.point(TCP));
  await registrar.next('REGISTER');
  await registrar.send(request(registrar, 'OPTIONS', contact, { routes: routed }), proxy.point(UDP));
  await registrar.next(430);
});
