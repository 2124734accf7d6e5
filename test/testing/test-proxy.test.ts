import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors, ProxyErrors } from '../../core/errors.ts';
import { startTestProxy } from '../../core/testing/index.ts';
import { fileOf, RELAY, routesOf, started } from './started.ts';

test('a request has what RFC 3261 8.1.1 asks for, and the headers and the body that a test gives', async (t) => {
  const { alice, bob } = await started(t, RELAY);
  const sent = await alice.send('MESSAGE', bob.uri, {
    headers: { 'max-forwards': '7', Contact: null, 'X-Note': ['a', 'b'], 'Content-Type': 'text/plain' },
    body: 'grüß dich',
  });
  const came = bob.next('MESSAGE');
  assert.equal(came.uri, bob.uri);
  assert.equal(came.header('Max-Forwards'), '6');
  assert.equal(came.header('Contact'), null);
  assert.deepEqual(came.headers('x-note'), ['a', 'b']);
  assert.equal(came.body, 'grüß dich');
  assert.equal(came.header('l'), String(Buffer.byteLength('grüß dich')));
  for (const name of ['From', 'To', 'Call-ID', 'CSeq']) assert.equal(came.header(name), sent.header(name));
});

test('requests of a dialog follow its Record-Route, from either side, and by the Contact alone they pass the proxy', async (t) => {
  for (const [routes, viaCount] of [
    [RELAY, 2],
    [routesOf('await ksr.tm.t_relay();'), 1],
  ] as const) {
    const { alice, bob } = await started(t, routes);
    const invite = await alice.send('INVITE', bob.uri);
    const came = bob.next('INVITE');
    await bob.reply(came, 200);
    const ok = alice.next(200);
    await alice.send('ACK', ok);
    assert.equal(bob.next('ACK').header('CSeq'), '1 ACK');
    await alice.send('INFO', ok);
    const info = bob.next('INFO');
    assert.equal(info.headers('Via').length, viaCount);
    assert.equal(info.header('CSeq'), '2 INFO');
    assert.equal(info.header('From'), invite.header('From'));
    await bob.send('BYE', came);
    const bye = alice.next('BYE');
    assert.equal(bye.headers('Via').length, viaCount);
    assert.equal(bye.header('To'), invite.header('From'));
    assert.equal(bye.uri, alice.uri);
  }
});

test('a refusal of an INVITE is acknowledged, and a retransmission comes to the proxy but not to a test', async (t) => {
  const { proxy, alice, bob } = await started(t, RELAY);
  const invite = await alice.send('INVITE', bob.uri);
  const came = bob.next('INVITE');
  await proxy.advance(500);
  assert.deepEqual(bob.unread, [], 'the INVITE once more');
  await bob.reply(came, 486);
  bob.next('ACK');
  alice.next(486);
  await alice.write(invite);
  assert.deepEqual(
    [alice.unread, bob.unread],
    [[], []],
    'the INVITE was absorbed, and answered by the same 486',
  );
  await proxy.advance(32_000);
  await alice.write(invite);
  assert.equal(bob.unread.length, 1, 'the transaction is over');
});

test('a dialog goes on from the CSeq number of an INVITE that was written by hand, and past the proxy to a contact by its transport', async (t) => {
  const { proxy, alice } = await started(t, routesOf('await ksr.tm.t_relay();'));
  const gw = proxy.userAgent('sip:gw@192.0.2.9;transport=tcp');
  await alice.write(`INVITE ${gw.uri} SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKhand
Max-Forwards: 70
From: <sip:alice@192.0.2.1>;tag=hand
To: <sip:gw@192.0.2.9>
Call-ID: hand
CSeq: 4711 INVITE
Contact: <sip:alice@192.0.2.1>
Content-Length: 0

`);
  await gw.reply(gw.next('INVITE'), 200);
  const ok = alice.next(200);
  await alice.send('ACK', ok);
  assert.equal(gw.next('ACK').header('CSeq'), '4711 ACK');
  await alice.send('BYE', ok);
  assert.equal(gw.next('BYE').header('CSeq'), '4712 BYE');
});

test('a CANCEL has the branch of its INVITE', async (t) => {
  const { alice, bob } = await started(t, RELAY);
  const invite = await alice.send('INVITE', bob.uri);
  const came = bob.next('INVITE');
  await bob.reply(came, 180);
  const cancel = await alice.send('CANCEL', invite, { headers: { Reason: 'SIP;cause=200' } });
  assert.equal(cancel.header('Via'), invite.header('Via'));
  assert.equal(cancel.header('Reason'), 'SIP;cause=200');
  await bob.reply(bob.next('CANCEL'), 200);
  await bob.reply(came, 487);
  alice.next(180);
  assert.equal(alice.next(200).header('CSeq'), '1 CANCEL');
  alice.next(487);
});

test('next: tells what came instead, and passes over 100 Trying unless it is asked for', async (t) => {
  const { alice, bob } = await started(t, RELAY);
  await alice.send('INVITE', bob.uri);
  assert.throws(() => alice.next(180), {
    code: 'ERR_ASSERTION',
    message: 'sip:alice@192.0.2.1 expected 180 next, and this came: SIP/2.0 100 Trying',
  });
  alice.next(100);
  assert.throws(() => alice.next(180), /and nothing came$/);
  await bob.reply(bob.next('INVITE'), 180);
  assert.throws(() => alice.next('BYE'), /this came: SIP\/2\.0 180 Ringing$/);
  alice.next(180);
});

test('a handler that fails rejects what it ran for, with the line; the caller has its 500', async (t) => {
  const { alice } = await started(t, routesOf(`throw new Error('no rate for ' + pv.$rU.get());`));
  await assert.rejects(
    alice.send('INVITE', 'sip:bob@192.0.2.2'),
    /^Error: handler request failed at .*routes\.ts:6: no rate for bob$/,
  );
  alice.next(500);
});

test('what a route logs at L_ERR is no fault', async (t) => {
  const { proxy, alice } = await started(
    t,
    routesOf(`await ksr.xlog.xerr('fraud: $si'); ksr.sl.sl_send_reply(403, 'No');`),
  );
  await alice.send('OPTIONS', 'sip:192.0.2.2');
  alice.next(403);
  assert.deepEqual(
    proxy.log.filter(({ level }) => level === 'error').map(({ message }) => message),
    ['fraud: 192.0.2.1'],
  );
});

test('a send that is not awaited: a test sees what happens while the handler waits, up to its time limit', async (t) => {
  const { proxy, alice } = await started(t, routesOf('await new Promise(() => undefined);'));
  const sent = alice.send('INVITE', 'sip:bob@192.0.2.2');
  await proxy.advance(200);
  alice.next(100);
  await Promise.all([
    assert.rejects(sent, /took longer than 10000 ms/),
    proxy.advance(10_000).catch(() => undefined),
  ]);
  alice.next(500);
});

test('a send waits for what a handler waits for in reality', async (t) => {
  const { alice } = await started(t, routesOf(`await setTimeout(30); ksr.sl.sl_send_reply(200, 'OK');`));
  await alice.send('OPTIONS', 'sip:192.0.2.2');
  alice.next(200);
});

test('get and set: variables that belong to no message', async (t) => {
  const { proxy, alice } = await started(
    t,
    routesOf(`ksr.sl.sl_send_reply(200, String(await pv.$sht('t=>k').get()));`),
  );
  await proxy.set('$sht(t=>k)', 'value');
  await alice.send('OPTIONS', 'sip:192.0.2.2');
  assert.equal(alice.next(200).startLine, 'SIP/2.0 200 value');
  assert.equal(await proxy.get('$sht(t=>k)'), 'value');
  await assert.rejects(proxy.get('$shtt(t=>k)'), { code: errors.ERR_PV_UNKNOWN.code });
});

test('stop: ends what is under way', async () => {
  const proxy = await startTestProxy(fileOf(RELAY));
  const alice = proxy.userAgent('sip:alice@192.0.2.1');
  await alice.send('INVITE', 'sip:bob@192.0.2.2');
  await proxy.stop();
  alice.next(408);
});

test('mistakes are told: of the file, of parameters, of addresses', async (t) => {
  const file = fileOf(RELAY);
  const error: unknown = await startTestProxy(file, { modules: { tm: { fr_timerr: 1 }, nosuch: {} } }).catch(
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ProxyErrors);
  assert.deepEqual(
    error.errors.map(({ code }) => code),
    [errors.ERR_MODULE_UNKNOWN.code, errors.ERR_PARAM_UNKNOWN.code],
  );
  await assert.rejects(
    startTestProxy(file, { listen: ['192.0.2.1'] }),
    /^Error: listen: expected an address such as/,
  );
  await assert.rejects(
    startTestProxy(file, { listen: ['udp:sip.example.com:5060'] }),
    /^Error: udp:sip\.example\.com:5060: `hosts` gives no address for sip\.example\.com$/,
  );
  for (const server of ['gw1.example.com', 'gw1.example.com:sip', '[2001:db8::1]:5060', 'gw1:0', 'gw1:65536'])
    await assert.rejects(startTestProxy(file, { srv: { '_sip._udp.example.com': [server] } }), {
      message: `srv: expected a server such as gw1.example.com:5060, not ${server}`,
    });
  const { proxy, alice, bob } = await started(t, RELAY);
  assert.throws(() => proxy.userAgent('alice'), /named by a SIP URI such as/);
  assert.throws(
    () => proxy.userAgent('sip:carol@192.0.2.1'),
    /a user agent at udp:192\.0\.2\.1:5060 already/,
  );
  const stranger = proxy.userAgent('sip:carol@192.0.2.3;transport=ws');
  await assert.rejects(
    stranger.send('OPTIONS', bob.uri),
    /listens on no ws address of IPv4: udp:192\.0\.2\.100:5060 tcp/,
  );
  const invite = await alice.send('INVITE', bob.uri);
  await assert.rejects(alice.send('BYE', invite), /BYE needs a message that came/);
  const came = bob.next('INVITE');
  await assert.rejects(
    bob.send('CANCEL', came),
    /a CANCEL needs the INVITE that sip:bob@192\.0\.2\.2:5070 sent/,
  );
  await assert.rejects(
    alice.send('BYE', came),
    /this message did not come to sip:alice@192\.0\.2\.1: INVITE/,
  );
  await assert.rejects(bob.send('BYE', came), /no dialog without a To tag: answer the request first/);
});

/** A call as a test in JavaScript may make it, whatever the types say. */
async function asJavaScript(object: object, method: string, ...args: readonly unknown[]): Promise<unknown> {
  const called: unknown = Reflect.get(object, method);
  assert.ok(typeof called === 'function');
  return Reflect.apply(called, object, args);
}

test('mistakes are told: of what is sent, answered and waited for', async (t) => {
  const { proxy, alice, bob } = await started(t, RELAY);
  for (const [to, shown] of [
    [undefined, 'undefined'],
    [null, 'null'],
    [bob, '[UserAgent]'],
  ] as const)
    for (const method of ['INVITE', 'CANCEL'])
      await assert.rejects(asJavaScript(alice, 'send', method, to), {
        message: `send(method, to): a URI such as sip:bob@192.0.2.2 or a message says where ${method} goes, not ${shown}`,
      });
  const invite = await alice.send('INVITE', bob.uri);
  const came = bob.next('INVITE');
  for (const [status, shown] of [
    [20, '20'],
    [99, '99'],
    [700, '700'],
    [200.5, '200.5'],
    ['200', "'200'"],
    [undefined, 'undefined'],
  ] as const)
    await assert.rejects(asJavaScript(bob, 'reply', came, status), {
      message: `reply: expected a status from 100 to 699, not ${shown}`,
    });
  await bob.reply(came, 200);
  for (const [agent, request, shown] of [
    [bob, undefined, 'undefined'],
    [bob, invite, invite.startLine],
    [alice, came, came.startLine],
    [alice, alice.next(200), 'SIP/2.0 200 OK'],
  ] as const)
    await assert.rejects(asJavaScript(agent, 'reply', request, 200), {
      message: `reply needs a request that came to ${agent.uri}, not ${shown}`,
    });
  for (const ms of [-1, Number.NaN, undefined])
    await assert.rejects(asJavaScript(proxy, 'advance', ms), {
      message: `advance: expected a number of ms, 0 or more, not ${ms}`,
    });
});
