import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELAY, routesOf, started } from './started.ts';

test('user agents have any address, family and protocol; responses come back by the connection of the request', async (t) => {
  const { proxy } = await started(
    t,
    routesOf(`ksr.sl.sl_send_reply(200, pv.$pr.get() + ' ' + pv.$si.get());`),
  );
  for (const [uri, reason] of [
    ['sip:carol@203.0.113.9', 'udp 203.0.113.9'],
    ['sip:carol@203.0.113.9:5090;transport=tcp', 'tcp 203.0.113.9'],
    ['sip:carol@[2001:db8::9]', 'udp 2001:db8::9'],
  ] as const) {
    const carol = proxy.userAgent(uri);
    await carol.send('OPTIONS', 'sip:192.0.2.100');
    assert.equal(carol.next(200).startLine, `SIP/2.0 200 ${reason}`);
  }
});

test('names are those of `hosts`; where nobody is, datagrams are lost and connections refused', async (t) => {
  const { proxy, alice, bob } = await started(t, RELAY, {
    hosts: { 'GW.example.com': '192.0.2.9', 'bob.example.com': ['192.0.2.2'] },
  });
  await alice.send('OPTIONS', 'sip:gw.example.com:5070');
  assert.deepEqual(
    proxy.undelivered.map(({ to }) => to),
    ['udp:192.0.2.9:5070'],
  );
  await alice.send('OPTIONS', 'sip:bob.example.com:5070');
  bob.next('OPTIONS');
  await alice.send('OPTIONS', 'sip:192.0.2.9;transport=tcp');
  alice.next(500);
  await alice.send('OPTIONS', 'sip:unknown.example.com');
  alice.next(478);
});

test('the servers of a domain are those of `srv`, in their order', async (t) => {
  const { proxy, alice } = await started(t, RELAY, {
    hosts: { 'gw1.example.com': '192.0.2.8', 'gw2.example.com': ['192.0.2.9', '2001:db8::9'] },
    srv: { '_SIP._tcp.gw.example.com': ['gw1.example.com:5060', 'GW2.example.com:5070'] },
  });
  const second = proxy.userAgent('sip:gw@192.0.2.9:5070;transport=tcp');
  await alice.send('OPTIONS', 'sip:gw.example.com');
  assert.deepEqual(
    proxy.undelivered.map(({ to }) => to),
    ['tcp:192.0.2.8:5060'],
  );
  second.next('OPTIONS');
  const first = proxy.userAgent('sip:gw@192.0.2.8;transport=tcp');
  await alice.send('OPTIONS', 'sip:gw.example.com');
  first.next('OPTIONS');
  assert.deepEqual(second.unread, []);
});

test('a user agent sends to the first listen address that fits, or to the one it is told', async (t) => {
  const { proxy, alice, bob } = await started(t, RELAY, {
    listen: ['udp:0.0.0.0:5060', 'udp:0.0.0.0:5080', 'tcp:192.0.2.100:5060'],
  });
  const carol = proxy.userAgent('sip:carol@192.0.2.3', { listen: 'udp:0.0.0.0:5080' });
  for (const [agent, port] of [
    [alice, 5060],
    [carol, 5080],
  ] as const) {
    await agent.send('OPTIONS', bob.uri);
    const came = bob.next('OPTIONS');
    assert.ok(came.header('Via')?.startsWith(`SIP/2.0/UDP 127.0.0.1:${port};`));
    await bob.reply(came, 200);
    agent.next(200);
  }
  for (const listen of ['udp:0.0.0.0:5090', 'tcp:192.0.2.100:5060'])
    assert.throws(() => proxy.userAgent('sip:dave@192.0.2.4', { listen }), {
      message: `${listen} is no listen address for udp: udp:127.0.0.1:5060 udp:127.0.0.1:5080 tcp:192.0.2.100:5060`,
    });
  assert.throws(() => proxy.userAgent('sip:dave@192.0.2.4', { listen: '5080' }), /^Error: listen: expected/);
});

test('what the proxy sends to an address of its own comes back to it', async (t) => {
  const { proxy, alice, bob } = await started(
    t,
    routesOf(`
    if (pv.$rU.get() === 'again') pv.$ru.set('sip:bob@192.0.2.2:5070');
    else if (pv.$rU.get() === 'twice') pv.$ru.set('sip:again@192.0.2.100;transport=tcp');
    await ksr.tm.t_relay();`),
  );
  await alice.send('OPTIONS', 'sip:twice@192.0.2.100');
  const came = bob.next('OPTIONS');
  assert.deepEqual(
    came.headers('Via').map((via) => via.slice(0, 22)),
    ['SIP/2.0/UDP 192.0.2.10', 'SIP/2.0/TCP 192.0.2.10', 'SIP/2.0/UDP 192.0.2.1:'],
  );
  await bob.reply(came, 200);
  alice.next(200);
  await alice.send('OPTIONS', 'sip:round@192.0.2.100');
  alice.next(482);
  assert.deepEqual(proxy.undelivered, []);
});

test('a flow that a user agent has opened leads to it, over UDP and TCP', async (t) => {
  const { proxy, alice, bob } = await started(t, RELAY, { modules: { outbound: {} } });
  const carol = proxy.userAgent('sip:carol@192.0.2.3;transport=tcp');
  for (const [agent, transport] of [
    [alice, 'udp'],
    [carol, 'tcp'],
  ] as const) {
    // A contact that cannot be reached, as behind a NAT.
    const headers = { Contact: `<sip:nobody@192.168.255.1;transport=${transport};ob>` };
    await agent.send('INVITE', bob.uri, { headers });
    const invite = bob.next('INVITE');
    await bob.reply(invite, 200);
    agent.next(200);
    await bob.send('BYE', invite);
    await agent.reply(agent.next('BYE'), 200);
    bob.next(200);
  }
  assert.deepEqual(proxy.undelivered, []);
});
