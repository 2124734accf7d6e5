import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { createLogger } from '../../core/winston-log.ts';
import { ask, configuration, PATIENCE_MS, put, Running } from './program.ts';

/** Routes that log more for a request than a pipe and the log hold. */
const NOISY = `import { defineRoutes } from 'kamaiki';
export default defineRoutes({
  uses: ['sl', 'xlog'],
  request({ ksr }) {
    for (let i = 0; i < 400; i++) ksr.xlog.xinfo('x'.repeat(8000));
    ksr.sl.sl_send_reply(200, 'noted');
  },
});`;

test('log: where nobody reads it, the proxy stops all the same', { timeout: PATIENCE_MS }, async () => {
  const proxy = new Running('-f', configuration(put(NOISY, 'ts'), '  xlog: {}\n'));
  const port = await proxy.port();
  proxy.child.stderr?.pause();
  assert.equal(await ask(port), 'SIP/2.0 200 noted');
  await proxy.ends('SIGTERM');
  assert.deepEqual([proxy.child.exitCode, proxy.child.signalCode], [null, 'SIGTERM']);
});

test('log: tells whether all lines are out when it is closed, and takes none from then on', async () => {
  let text = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const log = createLogger({ level: 'info', format: 'pretty', sink });
  log.info('first');
  const closed = log.close();
  log.info('second');
  assert.equal(await closed, true);
  log.info('third');
  assert.match(text, /^\S+ INFO {3}first\n$/);
});

test('log: one whose reader stands still is closed after a second, and says so', async () => {
  const sink = new Writable({ write: () => undefined });
  const log = createLogger({ level: 'info', format: 'pretty', sink });
  log.info('first');
  assert.equal(await log.close(), false);
});
