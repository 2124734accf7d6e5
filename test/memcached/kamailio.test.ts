import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import type { CacheClient } from '../../modules/memcached/client.ts';
import { freePort } from '../programs/free-port.ts';
import { startKamailio } from '../programs/kamailio.ts';
import { startMemcached } from '../programs/memcached.ts';
import { missing } from '../programs/missing.ts';
import { clientOf } from './rig.ts';

/** How long Kamailio may take to answer, ms. */
const ANSWER_PATIENCE_MS = 20_000;

/** Does what the request's X-Do says with the key X-Key and the value X-Val; answers with what the key then holds. */
function configuration(port: number, memcached: string): string {
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=1
disable_tcp=yes
listen=udp:127.0.0.1:${port}
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "textops.so"
loadmodule "memcached.so"
modparam("memcached", "servers", "${memcached}")
modparam("memcached", "expire", 100)
request_route {
  $var(key) = $hdr(X-Key);
  $var(int) = $(hdr(X-Val){s.int});
  switch ($hdr(X-Do)) {
    case "string": $mct($var(key)) = $hdr(X-Val); break;
    case "integer": $mct($var(key)) = $var(int); break;
    case "increment": $mcinc($var(key)) = $var(int); break;
    case "decrement": $mcdec($var(key)) = $var(int); break;
    case "delete": $mct($var(key)) = $null; break;
  }
  # Printed inside a text, an integer of $mct is a wrong character in this version: it is copied first.
  if ($mct($var(key)) == $null) {
    append_to_reply("X-Got: [<null>]\\r\\n");
  } else {
    $var(got) = $mct($var(key));
    append_to_reply("X-Got: [$var(got)]\\r\\n");
  }
  if ($var(got) == $var(int)) { append_to_reply("X-Same-Integer: yes\\r\\n"); }
  sl_send_reply("200", "OK");
}
`;
}

/** What Kamailio answered: the value as text, null when there is none. */
interface Answer {
  readonly value: string | null;
  /** Whether it is, as a number, the X-Val of the request. */
  readonly sameInteger: boolean;
}

/** A Kamailio that does as it is told. */
class Peer {
  readonly #socket: Socket;
  readonly #port: number;
  #requests = 0;

  constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
  }

  async do(what: string, key: string, value = ''): Promise<Answer> {
    this.#requests += 1;
    const lines = [
      'OPTIONS sip:cache@127.0.0.1 SIP/2.0',
      `Via: SIP/2.0/UDP 127.0.0.1:${this.#socket.address().port};branch=z9hG4bK${this.#requests}`,
      'From: <sip:test@127.0.0.1>;tag=1',
      'To: <sip:cache@127.0.0.1>',
      `Call-ID: ${this.#requests}@127.0.0.1`,
      'CSeq: 1 OPTIONS',
      `X-Do: ${what}`,
      `X-Key: ${key}`,
      `X-Val: ${value}`,
      'Content-Length: 0',
    ];
    this.#socket.send(`${lines.join('\r\n')}\r\n\r\n`, this.#port, '127.0.0.1');
    const patience = AbortSignal.timeout(ANSWER_PATIENCE_MS);
    const [answer]: Buffer[] = await once(this.#socket, 'message', { signal: patience });
    const text = answer?.toString() ?? '';
    const got = /^X-Got: \[(.*)\]\r$/m.exec(text)?.[1];
    assert.ok(got !== undefined, text);
    return { value: got === '<null>' ? null : got, sameInteger: text.includes('X-Same-Integer') };
  }
}

async function started(t: TestContext): Promise<{ kamailio: Peer; client: CacheClient }> {
  const memcached = await startMemcached();
  t.after(() => memcached.kill());
  const port = await freePort();
  const kamailio = await startKamailio(configuration(port, memcached.server));
  t.after(() => kamailio.stop());
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const client = clientOf(t, [{ kind: 'tcp', host: '127.0.0.1', port: memcached.port }]);
  return { kamailio: new Peer(socket, port), client };
}

test('kamailio: both read what the other wrote', {
  skip: missing('kamailio') ?? missing('memcached') ?? false,
}, async (t) => {
  const { kamailio, client } = await started(t);
  const long = 'k'.repeat(300);
  const edge = 'e'.repeat(250);
  const whole = 'w'.repeat(249);

  await t.test('strings', async () => {
    for (const key of ['str', long, edge, whole]) {
      await kamailio.do('string', key, 'from kamailio');
      assert.deepEqual(await client.read(key), { status: 'hit', value: 'from kamailio' }, key);
      await client.write(key, 'from kamaiki');
      assert.equal((await kamailio.do('read', key)).value, 'from kamaiki', key);
    }
  });

  await t.test('a string of digits stays a string', async () => {
    await kamailio.do('string', 'digits', '42');
    assert.deepEqual(await client.read('digits'), { status: 'hit', value: '42' });
    await client.write('digits', '43');
    assert.equal((await kamailio.do('read', 'digits')).value, '43');
  });

  await t.test('integers', async () => {
    for (const key of ['num', `${long}n`]) {
      await kamailio.do('integer', key, '5');
      assert.deepEqual(await client.read(key), { status: 'hit', value: 5 }, key);
      await client.write(key, 1234567);
      assert.equal((await kamailio.do('read', key, '1234567')).sameInteger, true, key);
    }
  });

  await t.test('counters, up and down, with the padding that the server adds', async () => {
    for (const key of ['cnt', `${long}c`]) {
      await client.write(key, 9);
      await kamailio.do('increment', key, '2');
      assert.deepEqual(await client.read(key), { status: 'hit', value: 11 }, key);
      assert.deepEqual(await client.decrement(key, 3), { status: 'done', value: 8 }, key);
      assert.equal((await kamailio.do('read', key, '8')).sameInteger, true, key);
      await kamailio.do('decrement', key, '1');
      assert.deepEqual(await client.increment(key, 4), { status: 'done', value: 11 }, key);
      assert.equal((await kamailio.do('read', key, '11')).sameInteger, true, key);
    }
  });

  await t.test('deletions', async () => {
    await client.write('gone', 'x');
    assert.equal((await kamailio.do('delete', 'gone')).value, null);
    assert.deepEqual(await client.read('gone'), { status: 'miss' });
    await kamailio.do('string', 'gone', 'x');
    await client.remove('gone');
    assert.equal((await kamailio.do('read', 'gone')).value, null);
  });

  await t.test('a lifetime after the key is no part of it, for both', async () => {
    await kamailio.do('string', 'life=>60', 'x');
    assert.deepEqual(await client.read('life'), { status: 'hit', value: 'x' });
  });
});
