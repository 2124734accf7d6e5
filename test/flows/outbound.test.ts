/** User agents reached by the flows that they opened (RFC 5626 5), on real sockets. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import type { Protocol } from '../../core/sip/hop.ts';
import { type Agent, agentOn } from './agent.ts';
import { Call, replyTo, requestOf, Side, valuesOf } from './dialog.ts';
import { realProxy } from './real-proxy.ts';

const routes = defineRoutes({
  uses: ['path', 'rr', 'siputils', 'tm'],
  request({ ksr }) {
    if (ksr.siputils.is_method('REGISTER')) {
      ksr.path.add_path();
      return ksr.tm.t_relay();
    }
    ksr.rr.loose_route();
    if (!ksr.siputils.has_totag()) ksr.rr.record_route();
    return ksr.tm.t_relay();
  },
});
const MODULES = { tm: {}, rr: {}, path: {}, siputils: {}, outbound: {} };
const LISTEN = [
  { protocol: 'udp', host: '127.0.0.1', port: 0 },
  { protocol: 'tcp', host: '127.0.0.1', port: 0 },
  { protocol: 'ws', host: '127.0.0.1', port: 0 },
] as const;
const POINT_OF: Readonly<Record<string, number>> = { udp: 0, tcp: 1, ws: 2 };

/** An edge proxy, a user agent that has registered through it, and the Path that the registrar got. */
async function registered(t: TestContext, protocol: Protocol) {
  const proxy = await realProxy(t, { listen: LISTEN, routes, modules: MODULES });
  const [agent, registrar] = [await agentOn(t, protocol), await agentOn(t, 'udp')];
  const { path, contact } = await register({ agent, registrar, proxy });
  return { proxy, agent, registrar, path, contact };
}

async function register({
  agent,
  registrar,
  proxy,
  via = '',
}: {
  readonly agent: Agent;
  readonly registrar: Agent;
  readonly proxy: Awaited<ReturnType<typeof realProxy>>;
  readonly via?: string;
}) {
  // A place that cannot be reached, as behind a NAT: only the flow leads there.
  const contact = 'sip:ua@192.168.255.1:9';
  const text = requestOf(agent, {
    method: 'REGISTER',
    uri: `sip:${registrar.sentBy}`,
    from: '<sip:ua@example.org>;tag=ua',
    to: '<sip:ua@example.org>',
    callId: `register-${agent.sentBy}`,
    cseq: 1,
    headers: `Supported: path, outbound\r\nContact: <${contact}>;reg-id=1;+sip.instance="<urn:uuid:1>"\r\n`,
  });
  const lines = via === '' ? text : text.replace('Max-Forwards', `${via}\r\nMax-Forwards`);
  await agent.send(lines, proxy.point(POINT_OF[agent.protocol] ?? 0));
  const got = await registrar.next('REGISTER');
  got.answer(replyTo(got.text, 200, { toTag: 'r' }));
  await agent.next(200);
  const [path = ''] = valuesOf(got.text, 'Path');
  return { path, contact };
}

/** A request from the registrar's side, with the Path as its Route. */
function toContact(registrar: Agent, uri: string, routes_: readonly string[], method = 'MESSAGE'): string {
  return requestOf(registrar, {
    method,
    uri,
    from: '<sip:carol@example.org>;tag=carol',
    to: '<sip:ua@example.org>',
    callId: `to-${routes_.join('').length}-${uri}`,
    cseq: 1,
    routes: routes_,
  });
}

for (const protocol of ['udp', 'tcp', 'ws'] as const) {
  test(`outbound: a request with the Path of a registration goes out by its flow, ${protocol}`, async (t) => {
    const { proxy, agent, registrar, path, contact } = await registered(t, protocol);
    assert.match(path, /^<sip:flow-[\w-]+@127\.0\.0\.1:\d+;lr;ob>$/);
    await registrar.send(toContact(registrar, contact, [path]), proxy.point(0));
    const got = await agent.next('MESSAGE');
    assert.match(got.text, /^MESSAGE sip:ua@192\.168\.255\.1:9 SIP/);
    assert.deepEqual(valuesOf(got.text, 'Route'), []);
    got.answer(replyTo(got.text, 200, { toTag: 'ua' }));
    await registrar.next(200);
  });

  test(`outbound: a call to a registered user agent stays on its flow in both directions, ${protocol}`, async (t) => {
    const { proxy, agent, path } = await registered(t, protocol);
    const caller = await agentOn(t, 'udp');
    const callee = new Side(agent, 'bob');
    Object.assign(callee, { contact: 'sip:ua@192.168.255.1:9' });
    const call = new Call(new Side(caller, 'alice'), callee, {
      callId: `in-${protocol}`,
      named: proxy.named,
    });
    const invite = await call.invite({ routes: [path] });
    const recorded = valuesOf(invite.text, 'Record-Route');
    // The URI of the Route without `ob` (5.3.1), on the side of the callee.
    assert.ok(recorded[0]?.startsWith(path.slice(0, path.indexOf('@'))), recorded[0]);
    assert.ok(!recorded.join().includes(';ob'));
    for (const by of ['caller', 'callee'] as const) await call.within('INVITE', by);
    await call.within('BYE', 'caller');
    await call.within('BYE', 'callee');
  });

  test(`outbound: a caller with ob in its Contact is reached by its flow, ${protocol}`, async (t) => {
    const proxy = await realProxy(t, { listen: LISTEN, routes, modules: MODULES });
    const [agent, other] = [await agentOn(t, protocol), await agentOn(t, 'udp')];
    const caller = new Side(agent, 'alice');
    Object.assign(caller, { contact: 'sip:ua@192.168.255.1:9;ob' });
    const call = new Call(caller, new Side(other, 'bob'), { callId: `ob-${protocol}`, named: proxy.named });
    const point = proxy.point(POINT_OF[protocol] ?? 0);
    const transport = protocol === 'udp' ? '' : `;transport=${protocol}`;
    await call.invite({ routes: [`<sip:${point.sentBy}${transport};lr>`] });
    for (const by of ['callee', 'caller'] as const) await call.within('INVITE', by);
    await call.within('BYE', 'callee');
  });
}

for (const protocol of ['ws', 'tcp'] as const) {
  test(`outbound: a call between two user agents behind flows carries both tokens, ${protocol} and tcp`, async (t) => {
    const { proxy, agent, path } = await registered(t, 'tcp');
    const caller = new Side(await agentOn(t, protocol), 'alice', ';ob');
    const callee = new Side(agent, 'bob');
    Object.assign(callee, { contact: 'sip:ua@192.168.255.1:9' });
    const call = new Call(caller, callee, { callId: `two-${protocol}`, named: proxy.named });
    const point = proxy.point(POINT_OF[protocol] ?? 0);
    // The caller knows the callee's Path.
    const first = `<sip:${point.sentBy};transport=${protocol};r2=on;lr>`;
    const invite = await call.invite({ routes: [first, path.replace(';lr', ';r2=on;lr')] });
    const recorded = valuesOf(invite.text, 'Record-Route');
    assert.equal(recorded.length, 2);
    for (const value of recorded) assert.match(value, /^<sip:flow-[^@]+@.*;r2=on/);
    for (const by of ['callee', 'caller'] as const) await call.within('INVITE', by);
    await call.within('BYE', 'callee');
    await call.within('BYE', 'caller');
  });
}

test('outbound: a proxy that is not the first hop adds its Path without token and ob (5.1)', async (t) => {
  const proxy = await realProxy(t, { listen: LISTEN, routes, modules: MODULES });
  const [agent, registrar] = [await agentOn(t, 'udp'), await agentOn(t, 'udp')];
  const via = `Via: SIP/2.0/UDP ${agent.sentBy};branch=z9hG4bKbelow`;
  const { path } = await register({ agent, registrar, proxy, via });
  assert.equal(path, `<sip:${proxy.point(0).sentBy};lr>`);
});

for (const protocol of ['tcp', 'ws'] as const) {
  test(`outbound: a flow that is gone is 430 Flow Failed, ${protocol}`, async (t) => {
    const { proxy, agent, registrar, path, contact } = await registered(t, protocol);
    await agent.close();
    // The proxy has seen the end of the connection once it has answered on a new one.
    const later = await agentOn(t, protocol);
    await register({ agent: later, registrar, proxy });
    await registrar.send(toContact(registrar, contact, [path]), proxy.point(0));
    await registrar.next(430);
  });
}

test('outbound: a token that was changed, or made by another proxy, is 403', async (t) => {
  const { proxy, agent, registrar, path, contact } = await registered(t, 'tcp');
  const other = await registered(t, 'tcp');
  const place = path.slice(path.indexOf('@'));
  const foreign = other.path.slice(0, other.path.indexOf('@')) + place;
  const changed = path.replace(/flow-(.)/, (_, char: string) => `flow-${char === 'A' ? 'B' : 'A'}`);
  for (const [i, route] of [foreign, changed, `<sip:flow-${place}`, `<sip:flow-AAAA${place}`].entries()) {
    await registrar.send(toContact(registrar, `${contact}${i}`, [route]), proxy.point(0));
    await registrar.next(403);
  }
  // Nothing of it has reached the user agent.
  await registrar.send(toContact(registrar, contact, [path], 'OPTIONS'), proxy.point(0));
  const got = await agent.next('OPTIONS');
  got.answer(replyTo(got.text, 200, { toTag: 'ua' }));
  await registrar.next(200);
  assert.equal(agent.passed, 0);
});

test('outbound: a request that comes by the flow itself is routed by its Request-URI and further Routes', async (t) => {
  const { proxy, agent, registrar, path } = await registered(t, 'tcp');
  const uri = `sip:x@${registrar.sentBy}`;
  await agent.send(toContact(agent, uri, [path]), proxy.point(1));
  assert.match((await registrar.next('MESSAGE')).text, /^MESSAGE sip:x@/);
  await agent.send(toContact(agent, 'sip:y@192.168.255.1:9', [path, `<${uri};lr>`]), proxy.point(1));
  assert.match((await registrar.next('MESSAGE')).text, /^MESSAGE sip:y@/);
});

const withFailure = defineRoutes({
  uses: ['path', 'pv', 'rr', 'siputils', 'tm'],
  request({ ksr }) {
    if (ksr.siputils.is_method('REGISTER')) ksr.path.add_path();
    else {
      ksr.rr.loose_route();
      ksr.tm.t_on_failure('gone');
    }
    return ksr.tm.t_relay();
  },
  failure: {
    gone({ pv, ksr }) {
      if (!ksr.tm.t_check_status('430')) return undefined;
      // Where the user agent might be reached otherwise, and off the flow.
      pv.$ru.set(pv.$hdr('X-Otherwise').get() ?? '');
      pv.$du.set(null);
      return ksr.tm.t_relay();
    },
  },
});
test('outbound: a failure handler sees the 430, and can send the request elsewhere', async (t) => {
  const modules = { ...MODULES, pv: {} };
  const proxy = await realProxy(t, { listen: LISTEN, routes: withFailure, modules });
  const [agent, registrar] = [await agentOn(t, 'tcp'), await agentOn(t, 'udp')];
  const { path, contact } = await register({ agent, registrar, proxy });
  await agent.close();
  const later = await agentOn(t, 'tcp');
  await register({ agent: later, registrar, proxy });
  const otherwise = await agentOn(t, 'udp');
  const text = toContact(registrar, contact, [path]);
  const line = `X-Otherwise: sip:box@${otherwise.sentBy}\r\nContent-Length`;
  await registrar.send(text.replace('Content-Length', line), proxy.point(0));
  const got = await otherwise.next('MESSAGE');
  assert.match(got.text, /^MESSAGE sip:box@/);
  got.answer(replyTo(got.text, 200, { toTag: 'box' }));
  await registrar.next(200);
});

const statelessly = defineRoutes({
  uses: ['corex', 'path', 'siputils'],
  request({ ksr }) {
    if (ksr.siputils.is_method('REGISTER')) ksr.path.add_path();
    return ksr.corex.forward();
  },
});
test('outbound: without transactions and loose_route too, a flow is taken, gone is 430, and a false token 403', async (t) => {
  const modules = { corex: {}, path: {}, siputils: {}, outbound: {} };
  const proxy = await realProxy(t, { listen: LISTEN, routes: statelessly, modules });
  const [agent, registrar] = [await agentOn(t, 'tcp'), await agentOn(t, 'udp')];
  const { path, contact } = await register({ agent, registrar, proxy });
  await registrar.send(toContact(registrar, contact, [path]), proxy.point(0));
  const got = await agent.next('MESSAGE');
  got.answer(replyTo(got.text, 200, { toTag: 'ua' }));
  await registrar.next(200);
  await registrar.send(toContact(registrar, contact, [path.replace('flow-', 'flow-A')]), proxy.point(0));
  await registrar.next(403);
  await agent.close();
  await register({ agent: await agentOn(t, 'tcp'), registrar, proxy });
  await registrar.send(toContact(registrar, `${contact}9`, [path]), proxy.point(0));
  await registrar.next(430);
});
