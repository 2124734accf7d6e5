import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { sanity } from '../../../modules/sanity/sanity.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, request } from '../fake-core.ts';

/** The module, and what it has been told to reply. */
function init(params: Partial<{ default_msg_checks: number; proxy_require: string }> = {}) {
  const replies: string[] = [];
  const state = sanity.init({
    params: { default_msg_checks: 7079, default_uri_checks: 7, proxy_require: '', ...params },
    log: recordedLog(),
    core: fakeCore(),
    deps: {
      sl: {
        reply(scope, code, reason) {
          replies.push(`${code} ${reason} ${scope.replyHeaders}`.trim());
          return true;
        },
      },
    },
  });
  return { state, replies };
}
const { sanity_check } = sanity.functions;

test('sanity_check: true for a good request, which is not answered', () => {
  const { state, replies } = init();
  assert.equal(sanity_check.call(callOf(state, request())), true);
  assert.equal(sanity_check.call(callOf(state, request()), 32_767, 15), true);
  assert.deepEqual(replies, []);
});

test('sanity_check: false for one with a fault, which is answered once', () => {
  const { state, replies } = init();
  assert.equal(sanity_check.call(callOf(state, request({ headers: ['Expires: x'] }))), false);
  assert.deepEqual(replies, ['400 Bad Request (Expires is not a number below 2**32)']);
});

test('sanity_check: 420 has Unsupported, and later replies do not', () => {
  const { state, replies } = init({ proxy_require: 'Path, gruu' });
  const call = callOf(state, request({ headers: ['Proxy-Require: path, foo'] }));
  call.scope.replyHeaders = 'X-Mine: 1\r\n';
  assert.equal(sanity_check.call(call, 512), false);
  assert.deepEqual(replies, ['420 Bad Extension X-Mine: 1\r\nUnsupported: foo']);
  assert.equal(call.scope.replyHeaders, 'X-Mine: 1\r\n');
});

test('sanity_check: reads URIs only with 1024 among the message checks', () => {
  const { state, replies } = init();
  const msg = request({ from: '<sip:@>;tag=1' });
  assert.equal(sanity_check.call(callOf(state, msg)), true);
  assert.equal(sanity_check.call(callOf(state, msg), 1024, 1), true);
  assert.equal(sanity_check.call(callOf(state, msg), 1024), false);
  assert.equal(replies.length, 1);
});

test('sanity_check: without arguments goes by the parameters', () => {
  const { state } = init({ default_msg_checks: 1 });
  assert.equal(sanity_check.call(callOf(state, request({ headers: ['Expires: x'] }))), true);
});

test('sanity_check: what is no sum of masks is ERR_FLAGS', () => {
  const { state } = init();
  const call = callOf(state, request());
  for (const mask of [-1, 32_768, 1.5, Number.NaN]) {
    assert.throws(() => sanity_check.call(call, mask), { code: 'ERR_FLAGS' });
  }
  assert.throws(() => sanity_check.call(call, 1, 16), {
    code: 'ERR_FLAGS',
    message: 'sanity_check: uri_checks: expected a sum of flags from 0 to 15, found 16',
  });
});

const routes = defineRoutes({
  uses: ['sanity', 'sl'],
  request({ ksr }) {
    if (!ksr.sanity.sanity_check(17_895, 7)) return;
    ksr.sl.send_reply(200, 'OK');
  },
});

const options = (header: string) => `OPTIONS sip:bob@example.com SIP/2.0
Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK${header.length}
From: <sip:a@example.com>;tag=1
To: <sip:b@example.com>
Call-ID: c${header.length}
CSeq: 1 OPTIONS
${header}
Content-Length: 0

`;

for (const modules of [
  { sl: {}, sanity: {} },
  { sl: {}, sanity: {}, tm: {} },
]) {
  test(`sanity_check: in a proxy with ${Object.keys(modules).join(', ')} answers for the routes`, async () => {
    const rig = await proxyRig(routes, { modules });
    await rig.receive(options('Expires: 60'));
    await rig.receive(options('Expires: never'));
    assert.deepEqual(rig.starts(), [
      'SIP/2.0 200 OK -> 10.0.0.2:5060',
      'SIP/2.0 400 Bad Request (Expires is not a number below 2**32) -> 10.0.0.2:5060',
    ]);
    assert.deepEqual(rig.lines('warn'), []);
    await rig.proxy.stop();
  });
}
