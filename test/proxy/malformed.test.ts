import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../core/index.ts';
import { CALLEE, CALLER, header, request, response } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';

/** A proxy whose request handler must not run. */
async function unreached() {
  const seen: string[] = [];
  const rig = await proxyRig(defineRoutes({ uses: [], request: ({ msg }) => seen.push(msg.method) }));
  return { rig, seen };
}

test('malformed: an answer leaves no state, and no handler runs', async () => {
  const { rig, seen } = await unreached();
  await rig.receive(request({ cseqMethod: 'BYE' }), CALLER);
  assert.match(
    rig.take()[0]!.text,
    /^SIP\/2\.0 400 Bad Request \(CSeq method is not the method of the request\)\r\n/,
  );
  assert.equal(rig.clock.pending, 0);
  assert.deepEqual(seen, []);
  assert.deepEqual([rig.proxy.counters.rejected, rig.proxy.counters.requests], [1, 0]);
});

test('malformed: when it comes again it gets the same answer, To tag and all', async () => {
  const { rig } = await unreached();
  for (const message of [request({ cseqMethod: 'BYE' }), request().replace(/^Call-ID.*\n/m, '')]) {
    await rig.receive(message, CALLER);
    await rig.receive(message, CALLER);
    const [first, second] = rig.take();
    assert.equal(second!.text, first!.text);
  }
});

test('malformed: another request, and another start of the proxy, get another To tag', async () => {
  const tags = new Set<string>();
  for (const branch of ['z9hG4bKa', 'z9hG4bKa', 'z9hG4bKb']) {
    const { rig } = await unreached();
    await rig.receive(request({ branch, cseqMethod: 'BYE' }), CALLER);
    tags.add(header(rig.take()[0]!.text, 'To'));
  }
  assert.equal(tags.size, 3);
});

const DROPPED: readonly (readonly [string, string])[] = [
  ['an ACK with another CSeq method', request({ method: 'ACK', cseqMethod: 'INVITE' })],
  ['an ACK without Call-ID', request({ method: 'ACK' }).replace(/^Call-ID.*\n/m, '')],
  ['an ACK of version 3.0', request({ method: 'ACK' }).replace('SIP/2.0\n', 'SIP/3.0\n')],
  ['an ACK to a URI of another scheme', request({ method: 'ACK', uri: 'fax:1' })],
  ['a response without CSeq', response(request().replaceAll('\n', '\r\n'), 200).replace(/^CSeq.*\n/m, '')],
  ['a response with status 99', 'SIP/2.0 99 Low\n\n'],
  ['a response of version 3.0', 'SIP/3.0 200 OK\n\n'],
  ['a line that is no SIP', 'GET / HTTP/1.1\nHost: 10.0.0.1\n\n'],
  ['line ends alone', '\n\n'],
  ['nothing', ''],
];
for (const [what, message] of DROPPED) {
  test(`malformed: ${what} is dropped and counted`, async () => {
    const { rig, seen } = await unreached();
    await rig.receive(message, CALLEE);
    assert.deepEqual(rig.take(), []);
    assert.deepEqual(seen, []);
    assert.equal(rig.proxy.counters.rejected, 1);
  });
}

test('malformed: a datagram above the limit gets 413', async () => {
  const { rig } = await unreached();
  await rig.receive(`${request().replace('Content-Length: 0\n', '')}${'x'.repeat(65_536)}`, CALLER);
  assert.match(rig.take()[0]!.text, /^SIP\/2\.0 413 /);
});

test('Proxy-Require: what it names in any of its lines is listed in Unsupported once; ACK and CANCEL are not asked', async () => {
  const { rig, seen } = await unreached();
  const headers = 'Proxy-Require: foo, bar\nproxy-require: baz, Foo\n';
  await rig.receive(request({ method: 'OPTIONS', headers }), CALLER);
  const [refused] = rig.take();
  assert.match(refused!.text, /^SIP\/2\.0 420 Bad Extension\r\n/);
  assert.match(refused!.text, /\r\nUnsupported: foo, bar, baz\r\n/);
  assert.deepEqual(seen, []);
  assert.equal(rig.clock.pending, 0);
  for (const method of ['ACK', 'CANCEL']) await rig.receive(request({ method, headers }), CALLER);
  assert.deepEqual(seen, ['ACK', 'CANCEL']);
});

test('Proxy-Require: what a loaded module supports is no reason to refuse, and is not listed', async () => {
  const seen: string[] = [];
  const routes = defineRoutes({
    uses: ['sl'],
    request({ msg, ksr }) {
      seen.push(msg.method);
      ksr.sl.sl_send_reply(200, 'OK');
    },
  });
  const rig = await proxyRig(routes, {
    modules: { sl: {}, path: {}, outbound: {}, sanity: { proxy_require: 'sec-agree' } },
  });
  await rig.receive(
    request({ method: 'OPTIONS', headers: 'Proxy-Require: path, Outbound, Sec-Agree\n' }),
    CALLER,
  );
  assert.deepEqual(seen, ['OPTIONS']);
  rig.take();
  await rig.receive(request({ method: 'OPTIONS', headers: 'Proxy-Require: path, foo\n' }), CALLER);
  assert.equal(header(rig.take()[0]!.text, 'Unsupported'), 'foo');
});

test('the ACK of a refusal without state ends here, whatever modules are loaded', async () => {
  for (const modules of [{ sl: {} }, { sl: {}, tm: {} }]) {
    const seen: string[] = [];
    const routes = defineRoutes({
      uses: ['sl'],
      request({ msg, ksr }) {
        seen.push(msg.method);
        ksr.sl.sl_send_reply(404, 'Not Found');
      },
    });
    const rig = await proxyRig(routes, { modules });
    for (const headers of ['Proxy-Require: foo\n', '']) {
      await rig.receive(request({ headers }), CALLER);
      const toTag = header(rig.take().at(-1)!.text, 'To').split('tag=')[1]!;
      await rig.receive(request({ method: 'ACK', toTag }), CALLER);
    }
    assert.deepEqual(seen, ['INVITE']);
    await rig.receive(request({ method: 'ACK', toTag: '0123456789abcdef0123' }), CALLER);
    assert.deepEqual(seen, ['INVITE', 'ACK'], 'an ACK with a tag of someone else reaches the handler');
  }
});
