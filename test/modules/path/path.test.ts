import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes, parseNameAddr, uriParam } from '../../../core/index.ts';
import { path } from '../../../modules/path/path.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, linesOf, point, printed, proxyPoint, received, request } from '../fake-core.ts';

const { add_path, add_path_received } = path.functions;
const init = (enableR2 = false) =>
  path.init({
    params: { use_received: false, enable_r2: enableR2 },
    log: recordedLog(),
    core: fakeCore(),
    deps: {},
  });
const pathsOf = (msg: ReturnType<typeof request>, out = point()) => linesOf(printed(msg, out), 'path');

test('add_path: adds our address with lr above other Paths, and changes nothing else', () => {
  const msg = request({ method: 'REGISTER', headers: ['Path: <sip:p0.example.com;lr>'] });
  assert.equal(add_path.call(callOf(init(), msg)), true);
  assert.deepEqual(pathsOf(msg), ['Path: <sip:192.0.2.1:5060;lr>', 'Path: <sip:p0.example.com;lr>']);
  assert.equal(printed(msg).replace('Path: <sip:192.0.2.1:5060;lr>\r\n', ''), msg.head);
});

test('add_path: takes a user, and a name that is advertised', () => {
  const msg = request();
  add_path.call(callOf(init(), msg), 'edge%201');
  const out = { ...point(), sentBy: '[2001:db8::1]:5080', protocol: 'tls' as const };
  assert.deepEqual(pathsOf(msg, out), ['Path: <sip:edge%201@[2001:db8::1]:5080;transport=tls;lr>']);
});

test('add_path: is SIPS for a SIPS Request-URI', () => {
  const msg = request({ uri: 'SIPS:example.com' });
  add_path.call(callOf(init(), msg));
  assert.deepEqual(pathsOf(msg), ['Path: <sips:192.0.2.1:5060;lr>']);
});

test('add_path_received: says where the request came from', () => {
  const rows: [from: typeof received, source: string][] = [
    [received, 'sip:198.51.100.7:5070'],
    [{ ...received, address: '2001:db8::7' }, 'sip:[2001:db8::7]:5070'],
    [{ ...received, address: 'fe80::7%eth0' }, 'sip:[fe80::7]:5070'],
    [{ ...received, point: { ...proxyPoint, protocol: 'ws' } }, 'sip:198.51.100.7:5070%3Btransport%3Dws'],
  ];
  for (const [from, source] of rows) {
    const msg = request({ received: from });
    assert.equal(add_path_received.call(callOf(init(), msg), 'u'), true);
    const [line = ''] = pathsOf(msg);
    assert.equal(line, `Path: <sip:u@192.0.2.1:5060;lr;received=${source}>`);
    const read = parseNameAddr(line.slice('Path: '.length));
    assert(read.ok && read.value.uri.ok, line);
    assert.equal(uriParam(read.value.uri.value, 'received'), source);
  }
});

test('enable_r2: writes two Paths between two sockets, the way out on top', () => {
  const out = { ...point('10.0.0.1', 5080), protocol: 'tcp' as const };
  const msg = request();
  add_path_received.call(callOf(init(true), msg));
  assert.deepEqual(pathsOf(msg, out), [
    'Path: <sip:10.0.0.1:5080;transport=tcp;lr;r2=on>',
    'Path: <sip:192.0.2.1:5060;lr;received=sip:198.51.100.7:5070;r2=on>',
  ]);
  assert.deepEqual(pathsOf(msg), ['Path: <sip:192.0.2.1:5060;lr;received=sip:198.51.100.7:5070>']);
  const single = request();
  add_path.call(callOf(init(), single));
  assert.deepEqual(pathsOf(single, out), ['Path: <sip:10.0.0.1:5080;transport=tcp;lr>']);
});

test('add_path, add_path_received: a second call is false, warns and adds nothing', () => {
  const log = recordedLog();
  const call = callOf(init(), request(), { log });
  assert.equal(add_path.call(call), true);
  assert.equal(add_path_received.call(call), false);
  assert.equal(add_path.call(call, 'u'), false);
  assert.deepEqual(pathsOf(call.msg), ['Path: <sip:192.0.2.1:5060;lr>']);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn', 'warn'],
  );
});

test('add_path, add_path_received: what is no user is ERR_URI_SYNTAX, and adds nothing', () => {
  for (const user of ['a b', 'a@b', 'a:b', 'a>', 'a\r\nX: 1', 'a%2', '@', 'ü']) {
    for (const add of [add_path, add_path_received]) {
      const call = callOf(init(), request());
      assert.throws(() => add.call(call, user), { code: 'ERR_URI_SYNTAX' }, user);
      assert.equal(call.msg.edits.size, 0);
    }
  }
});

const routes = defineRoutes({
  uses: ['path', 'rr', 'tm'],
  async request({ msg, ksr }) {
    if (msg.method === 'REGISTER') ksr.path.add_path_received('edge');
    else ksr.rr.loose_route();
    await ksr.tm.t_relay();
  },
});

const message = (startLine: string, ...headers: string[]) => `${startLine} SIP/2.0
Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKp${startLine.length}
Max-Forwards: 70
From: <sip:a@example.com>;tag=1
To: <sip:a@example.com>
Call-ID: path${startLine.length}
CSeq: 1 ${startLine.split(' ')[0]}
${headers.map((line) => `${line}\n`).join('')}Content-Length: 0

`;

test('add_path: a registration leaves with the Path, which as a Route leads through the proxy to the next hop', async () => {
  const rig = await proxyRig(routes, { modules: { tm: {}, rr: {}, path: {} } });
  await rig.receive(message('REGISTER sip:10.0.0.9'));
  const [sent] = rig.take();
  assert.equal(sent?.to, '10.0.0.9:5060');
  const [line = ''] = linesOf(sent?.text ?? '', 'path');
  assert.equal(line, 'Path: <sip:edge@10.0.0.1:5060;lr;received=sip:10.0.0.2:5060>');
  await rig.receive(message('MESSAGE sip:a@10.0.0.2:5099', line.replace('Path', 'Route')));
  assert.deepEqual(rig.starts(), ['MESSAGE sip:a@10.0.0.2:5099 SIP/2.0 -> 10.0.0.2:5099']);
});

const MODULES = { tm: {}, rr: {}, path: { use_received: true } };
const own = 'Route: <sip:10.0.0.1:5060;lr;received=sip:198.51.100.7:40000%3Btransport%3Dudp>';
/** What the routes call does not matter: the core takes Routes of ours off where they do not. */
const byCore = defineRoutes({
  uses: ['tm'],
  async request({ ksr }) {
    await ksr.tm.t_relay();
  },
});

for (const [what, handlers] of [
  ['with loose_route', routes],
  ['without it', byCore],
] as const) {
  test(`use_received: a request goes to the place that our own last Route names, ${what}`, async () => {
    const rig = await proxyRig(handlers, { modules: MODULES });
    await rig.receive(message('MESSAGE sip:a@192.168.1.2', own));
    await rig.receive(message('MESSAGE sip:ab@192.168.1.2', own, 'Route: <sip:10.0.0.8;lr>'));
    await rig.receive(message('MESSAGE sip:abc@10.0.0.7', own.replace('10.0.0.1', '10.0.0.6')));
    await rig.receive(message('MESSAGE sip:abcdefg@10.0.0.7', own.replace(/received=[^>]*/, 'received=x')));
    // By its own Path as a Route: what the user agent sends itself.
    const source = own.replace(/received=[^>]*/, 'received=sip:10.0.0.2:5060');
    await rig.receive(message('MESSAGE sip:abcdefgh@10.0.0.7', source));
    assert.deepEqual(rig.starts(), [
      'MESSAGE sip:a@192.168.1.2 SIP/2.0 -> 198.51.100.7:40000',
      'MESSAGE sip:ab@192.168.1.2 SIP/2.0 -> 10.0.0.8:5060',
      'MESSAGE sip:abc@10.0.0.7 SIP/2.0 -> 10.0.0.6:5060',
      'MESSAGE sip:abcdefg@10.0.0.7 SIP/2.0 -> 10.0.0.7:5060',
      'MESSAGE sip:abcdefgh@10.0.0.7 SIP/2.0 -> 10.0.0.7:5060',
    ]);
  });
}

test('use_received: of two Paths (r2) the one next to the user agent says where', async () => {
  const rig = await proxyRig(routes, { modules: MODULES });
  const twins = ['Route: <sip:10.0.0.1:5060;lr;r2=on>', own.replace('>', ';r2=on>')];
  await rig.receive(message('MESSAGE sip:a@192.168.1.2', ...twins));
  assert.deepEqual(rig.starts(), ['MESSAGE sip:a@192.168.1.2 SIP/2.0 -> 198.51.100.7:40000']);
});

test('use_received: off, as by default, received is not looked at', async () => {
  const rig = await proxyRig(routes, { modules: { tm: {}, rr: {}, path: {} } });
  await rig.receive(message('MESSAGE sip:a@10.0.0.7', own));
  assert.deepEqual(rig.starts(), ['MESSAGE sip:a@10.0.0.7 SIP/2.0 -> 10.0.0.7:5060']);
});

test('outbound: a user that routes give stays, and there is no token then', async () => {
  const core = fakeCore();
  core.setFlowTokens({ tokenOf: () => 'flow-1' });
  const state = (enableR2: boolean) =>
    path.init({
      params: { use_received: false, enable_r2: enableR2 },
      log: recordedLog(),
      core,
      deps: {},
    });
  const lines = (enableR2: boolean, ...user: string[]): string[] => {
    const msg = request({ method: 'REGISTER' });
    add_path.call(callOf(state(enableR2), msg), ...user);
    return pathsOf(msg, { ...point('10.0.0.1', 5080) });
  };
  assert.deepEqual(lines(false), ['Path: <sip:flow-1@10.0.0.1:5080;lr;ob>']);
  assert.deepEqual(lines(false, 'edge'), ['Path: <sip:edge@10.0.0.1:5080;lr>']);
  assert.deepEqual(lines(true), [
    'Path: <sip:10.0.0.1:5080;lr;r2=on>',
    'Path: <sip:flow-1@192.0.2.1:5060;lr;ob;r2=on>',
  ]);
});
