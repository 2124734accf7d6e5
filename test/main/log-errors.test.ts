import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { LOG_FORMATS, type LogFormat } from '../../core/log-line.ts';
import { createLogger } from '../../core/winston-log.ts';

/** What a log prints of an error, all lines. */
async function printed(format: LogFormat, error: unknown): Promise<string> {
  let text = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const log = createLogger({ level: 'info', format, sink });
  log.error('it failed', { error });
  await log.close();
  return text;
}

/** An error with fields as no error of JavaScript has them, but some of libraries do. */
function odd(key: string, descriptor: PropertyDescriptor): Error {
  return Object.defineProperty(new Error('x'), key, descriptor);
}

function circular(): Error {
  const first = new Error('first');
  first.cause = new Error('second', { cause: first });
  return first;
}

const unreadable: PropertyDescriptor = {
  get() {
    throw new Error('not now');
  },
};

for (const [name, error] of [
  ['without a message', odd('message', { value: undefined })],
  ['whose message is an object', odd('message', { value: { status: 418 } })],
  ['whose message is a number', odd('message', { value: 7 })],
  ['whose message cannot be read', odd('message', unreadable)],
  ['whose name is a symbol', odd('name', { value: Symbol('name') })],
  ['whose stack is no text', odd('stack', { value: 5 })],
  ['whose stack cannot be read', odd('stack', unreadable)],
  ['whose causes go round', circular()],
] as const)
  for (const format of LOG_FORMATS)
    test(`log: an error ${name} is logged all the same, ${format}`, async () => {
      assert.match(await printed(format, error), /^[^\n]*it failed/);
    });

test('log: a message of an error that is an object is shown', async () => {
  const error = odd('message', { value: { status: 418 } });
  assert.match(await printed('json', error), /\{\\"status\\":418\}/);
});
