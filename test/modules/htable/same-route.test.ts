import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import type { FunctionsOf } from '../../../core/registry/module.ts';
import { htable } from '../../../modules/htable/htable.ts';
import type { memcached } from '../../../modules/memcached/memcached.ts';
import { PATIENCE_MS } from '../../programs/child.ts';
import { startProxy } from '../../programs/proxy.ts';
import { startHtable } from './rig.ts';

/** A route that keeps what it does in `STORE`: one word. Each line that it answers with is what an operation came to. */
const ROUTES = `import { defineRoutes } from 'kamaiki';
export default defineRoutes({
  uses: ['pv', 'sl', 'textops', 'STORE'],
  async request({ pv, ksr }) {
    const key = \`call::\${pv.$ci.get()}\`;
    const done: unknown[] = [];
    done.push(await ksr.STORE.read(key));
    done.push(await ksr.STORE.write(key, pv.$si.get()));
    done.push(await ksr.STORE.read(key));
    done.push(await ksr.STORE.write('number', 41, { expire: 60 }));
    done.push(await ksr.STORE.increment('number', 1));
    done.push(await ksr.STORE.decrement('number', 50));
    done.push(await ksr.STORE.increment('nothing', 1));
    done.push(await ksr.STORE.count('calls').add(1, { initial: 10, expire: 60 }));
    done.push(await ksr.STORE.count('calls').add(5n));
    done.push(await ksr.STORE.write('text', 'x'));
    done.push(await ksr.STORE.increment('text', 1));
    done.push(await ksr.STORE.touch('number', 100));
    done.push(await ksr.STORE.touch('nothing', 100));
    done.push(await ksr.STORE.remove(key));
    done.push(await ksr.STORE.remove(key));
    done.push(await ksr.STORE.read('number', { signal: AbortSignal.abort() }));
    for (const wrong of [() => ksr.STORE.write('k', 1.5), () => ksr.STORE.increment('number', -1)]) {
      done.push(await wrong().then(() => 'taken', () => 'refused'));
    }
    for (const each of done) {
      await ksr.textops.append_to_reply(\`X-Did: \${JSON.stringify(each).replaceAll('$', '$$')}\\r\\n\`);
    }
    return ksr.sl.sl_send_reply(200, 'OK');
  },
});
`;

/** What the route comes to with a module. */
async function didWith(t: TestContext, module: string, params: string): Promise<readonly string[]> {
  const proxy = await startProxy({
    yaml: `listen: ["udp:127.0.0.1:0"]
modules: { pv: {}, sl: {}, textops: {}, ${module}: ${params} }`,
    routes: ROUTES.replaceAll('STORE', module),
  });
  t.after(() => proxy.stop());
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => socket.close());
  await once(socket, 'listening');
  const lines = [
    'OPTIONS sip:x@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bKsame`,
    'From: <sip:test@127.0.0.1>;tag=1',
    'To: <sip:x@127.0.0.1>',
    'Call-ID: same',
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
  ];
  socket.send(`${lines.join('\r\n')}\r\n\r\n`, proxy.port, '127.0.0.1');
  const [answer]: Buffer[] = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
  return [...(answer?.toString() ?? '').matchAll(/^X-Did: (.*)\r$/gm)].map(([, did]) => did ?? '');
}

test('htable: a route moves between htable and memcached by changing one word', async (t) => {
  const [own, shared] = await Promise.all([
    didWith(t, 'htable', '{ htable: "first" }'),
    didWith(t, 'memcached', '{ servers: embedded }'),
  ]);
  assert.equal(own.length, 18);
  assert.equal(own[2], '{"status":"hit","value":"127.0.0.1"}');
  assert.equal(own[8], '{"status":"done","value":16}');
  assert.deepEqual(own, shared);
});

/** What routes see of the functions that both modules have. */
type Shared = 'read' | 'write' | 'increment' | 'decrement' | 'count' | 'touch' | 'remove';
type Memcached = Pick<FunctionsOf<typeof memcached, 'request'>, Shared>;

/** Written for memcached. */
async function visits({ read, count, remove }: Memcached, key: string): Promise<readonly unknown[]> {
  return [await count(key).add(2, { expire: 60 }), await read(key), await remove(key), await read(key)];
}

test('htable: what was written for the functions of memcached takes those of htable, by their types too', async () => {
  const { call } = startHtable({ htable: 'first' });
  const { read, write, increment, decrement, count, touch, remove } = htable.functions;
  const own: Memcached = {
    read: (...args) => read.call(call, ...args),
    write: (...args) => write.call(call, ...args),
    increment: (...args) => increment.call(call, ...args),
    decrement: (...args) => decrement.call(call, ...args),
    count: (...args) => count.call(call, ...args),
    touch: (...args) => touch.call(call, ...args),
    remove: (...args) => remove.call(call, ...args),
  };
  assert.deepEqual(await visits(own, 'k'), [
    { status: 'done', value: 2 },
    { status: 'hit', value: 2 },
    { status: 'removed' },
    { status: 'miss' },
  ]);
});
