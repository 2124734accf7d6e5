import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MAX_LOGGED_CHARS, type LogFormat } from '../../core/log-line.ts';
import { LogSink, MAX_WAITING_BYTES } from '../../core/log-sink.ts';
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from '../../core/log.ts';
import { createLogger } from '../../core/winston-log.ts';

const NOW = new Date('2026-01-31T12:00:00.000Z');

/** Takes every line at once and keeps it. */
class Lines extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Takes no line until it is released. */
class Stuck extends Writable {
  text = '';
  #waiting: (() => void) | null = null;
  #released = false;
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const take = () => {
      this.text += chunk.toString();
      done();
    };
    if (this.#released) take();
    else this.#waiting = take;
  }
  release(): void {
    this.#released = true;
    this.#waiting?.();
  }
}

async function logged(
  use: (log: Logger) => void,
  { format = 'pretty', level = 'debug' }: { readonly format?: LogFormat; readonly level?: LogLevel } = {},
): Promise<string> {
  const sink = new Lines();
  const log = createLogger({ level, format, sink, now: () => NOW });
  use(log);
  await log.close();
  return sink.text;
}

const valueOf = async (fields: LogFields) =>
  (await logged((log) => log.info('m', fields))).trimEnd().replace('2026-01-31T12:00:00.000Z INFO   m ', '');

test('log: a pretty line has time, level, message and fields', async () => {
  const text = await logged((log) => log.notice('listening', { port: 5060, on: 'udp:127.0.0.1' }));
  assert.equal(text, '2026-01-31T12:00:00.000Z NOTICE listening port=5060 on=udp:127.0.0.1\n');
});

test('log: a json line is one object with time, level, message and fields', async () => {
  const text = await logged((log) => log.warn('slow', { ms: 12.5, ok: false, key: null, name: 'a b' }), {
    format: 'json',
  });
  assert.equal(
    text,
    '{"time":"2026-01-31T12:00:00.000Z","level":"warn","message":"slow","ms":12.5,"ok":false,"key":null,"name":"a b"}\n',
  );
});

test('log: prints the level asked for and those above it, notice between info and warn', async () => {
  for (const [at, level] of LOG_LEVELS.entries()) {
    const text = await logged((log) => LOG_LEVELS.forEach((each) => log[each](each)), { level });
    assert.deepEqual(
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/ +/)[2]),
      LOG_LEVELS.slice(at),
    );
  }
});

test('log: isEnabled tells which levels are printed, of a child too', async () => {
  await logged(
    (log) => {
      for (const one of [log, log.child({ a: 1 })]) {
        assert.deepEqual(
          LOG_LEVELS.filter((level) => one.isEnabled(level)),
          ['notice', 'warn', 'error'],
        );
      }
    },
    { level: 'notice' },
  );
});

test('log: a line below the level looks at none of its fields', async () => {
  const fields = {
    get costly(): string {
      return assert.fail('it was read');
    },
  };
  const text = await logged((log) => log.child({ a: 1 }).info('quiet', fields), { level: 'warn' });
  assert.equal(text, '');
});

test('log: a child adds its fields to every line, and the line overrides them', async () => {
  const text = await logged((log) =>
    log.child({ module: 'tm', call: 'a' }).child({ call: 'b' }).info('x', { n: 1 }),
  );
  assert.equal(text, '2026-01-31T12:00:00.000Z INFO   x module=tm call=b n=1\n');
});

const values: readonly (readonly [string, unknown, string])[] = [
  ['text without spaces is bare', 'sip:a@b', 'v=sip:a@b'],
  ['text with spaces is quoted', 'a b', 'v="a b"'],
  ['an empty text is quoted', '', 'v=""'],
  ['quotes and equals signs are quoted', 'a="b"', String.raw`v="a=\"b\""`],
  ['an object is JSON', { a: [1] }, String.raw`v="{\"a\":[1]}"`],
  ['a bigint is its digits', 12n, 'v=12'],
  ['a buffer is its bytes', Buffer.from([65, 0xe9]), 'v=Aé'],
  [
    'what turns the direction of text is escaped',
    '\u061c\u200e\u200f\u202a\u202ea\u2066\u2069',
    String.raw`v=\u061c\u200e\u200f\u202a\u202ea\u2066\u2069`,
  ],
  ['null is null', null, 'v=null'],
];
for (const [name, value, expected] of values) {
  test(`log: in a pretty line ${name}`, async () => {
    assert.equal(await valueOf({ v: value }), expected);
  });
}

test('log: a field without a value is left out, and a cycle is no fault', async () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  assert.equal(await valueOf({ gone: undefined, cycle }), 'cycle="[object Object]"');
});

test('log: an error is printed with its stack on indented lines, and its cause', async () => {
  const error = new Error('outer\n    at forged (file:1:1)', { cause: new TypeError('inner') });
  const [first, ...others] = (await valueOf({ error })).split('\n');
  assert.equal(first, String.raw`error="Error: outer\n    at forged (file:1:1)"`);
  assert.ok(others.length > 2);
  assert.ok(
    others.every((line) => /^ +(at |caused by )/.test(line) && !line.includes('forged')),
    others.join('\n'),
  );
  assert.ok(others.some((line) => line === '  caused by "TypeError: inner"'));
});

test('log: in a json line an error has message, stack and code', async () => {
  const error = Object.assign(new Error('gone'), { code: 'ENOENT' });
  const line = JSON.parse(await logged((log) => log.error('x', { error }), { format: 'json' }));
  assert.equal(line.error.message, 'gone');
  assert.equal(line.error.code, 'ENOENT');
  assert.match(line.error.stack, /^Error: gone\n +at /);
});

test('log: in a json line a field cannot take the place of time, level or message', async () => {
  const text = await logged((log) => log.info('true', { message: 'false', level: 'x', time: 0 }), {
    format: 'json',
  });
  assert.deepEqual(JSON.parse(text), {
    time: '2026-01-31T12:00:00.000Z',
    level: 'info',
    message: 'true',
    _message: 'false',
    _level: 'x',
    _time: 0,
  });
});

test('log: no text from the network breaks a line or holds a control character, in message, name or value', async () => {
  const nasty = fc.string({
    unit: fc.constantFrom('\r', '\n', '\u001b', '\0', '\u0085', '\u2028', '"', '\\', 'a', ' ', '=', '%s'),
  });
  await fc.assert(
    fc.asyncProperty(nasty, nasty, fc.constantFrom<LogFormat>('pretty', 'json'), async (a, b, format) => {
      const text = await logged((log) => log.info(a, { [b]: a, buffer: Buffer.from(b) }), { format });
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      assert.doesNotMatch(text.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      assert.ok(text.endsWith('\n'));
      if (format === 'json') assert.equal(JSON.parse(text).message, a);
    }),
  );
});

test('log: a long text is cut, and how much was cut is told', async () => {
  const text = await valueOf({ v: 'x'.repeat(MAX_LOGGED_CHARS + 5) });
  assert.equal(text, `v="${'x'.repeat(MAX_LOGGED_CHARS)}… (5 more)"`);
});

test('log: lines for a stream that is stuck are dropped beyond the limit, and counted in one line later', async () => {
  const sink = new Stuck();
  const log = createLogger({ level: 'info', format: 'json', sink, now: () => NOW });
  const line = 'x'.repeat(8000);
  const sent = 300;
  for (let n = 0; n < sent; n++) log.info(line, { n });
  assert.ok(sink.writableLength >= MAX_WAITING_BYTES);
  assert.ok(sink.writableLength < MAX_WAITING_BYTES + 10_000);
  sink.release();
  log.info('after');
  await log.close();
  const lines = sink.text
    .trimEnd()
    .split('\n')
    .map((each) => JSON.parse(each));
  const dropped = lines.filter((each) => each.message.includes('dropped'));
  assert.equal(dropped.length, 1);
  assert.equal(dropped[0].level, 'warn');
  assert.equal(lines.filter((each) => each.message === line).length + dropped[0].lines, sent);
  assert.equal(lines.at(-1).message, 'after');
});

test('log: a target that breaks is opened anew for the next line', async () => {
  const opened: Lines[] = [];
  const sink = new LogSink({
    open: () => {
      opened.push(new Lines());
      return opened.at(-1) ?? assert.fail();
    },
    dropped: String,
  });
  sink.write('one\n');
  const broke = new Promise((resolve) => opened[0]?.on('close', resolve));
  opened[0]?.destroy(new Error('disk full'));
  await broke;
  sink.write('two\n');
  assert.deepEqual(
    opened.map((target) => target.text),
    ['one\n', 'two\n'],
  );
});

test('log: a file gets every line too, and is added to', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kamaiki-test-'));
  try {
    const file = join(folder, 'proxy.log');
    for (const message of ['first', 'second']) {
      const sink = new Lines();
      const log = createLogger({ level: 'info', format: 'pretty', file, sink, now: () => NOW });
      log.info(message);
      await log.close();
      assert.match(sink.text, new RegExp(`${message}\n$`));
    }
    assert.equal(
      readFileSync(file, 'utf8'),
      '2026-01-31T12:00:00.000Z INFO   first\n2026-01-31T12:00:00.000Z INFO   second\n',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('log: a file that was renamed is let go when the log is reopened', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kamaiki-test-'));
  try {
    const file = join(folder, 'proxy.log');
    const log = createLogger({ level: 'info', format: 'pretty', file, sink: new Lines(), now: () => NOW });
    log.info('first');
    // A thread makes the file.
    while (!existsSync(file)) await new Promise(setImmediate);
    renameSync(file, `${file}.1`);
    log.info('second');
    log.reopen();
    log.info('third');
    await log.close();
    const [before, after] = [`${file}.1`, file].map((path) => readFileSync(path, 'utf8').match(/\w+$/gm));
    assert.deepEqual([before, after], [['first', 'second'], ['third']]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('log: closing twice is closing once', async () => {
  const sink = new Lines();
  const log = createLogger({ level: 'info', format: 'pretty', sink, now: () => NOW });
  log.info('last');
  await log.close();
  await log.close();
  assert.match(sink.text, /last\n$/);
});

test('log: an announcement is printed whatever the level', async () => {
  const sink = new Lines();
  const log = createLogger({ level: 'error', format: 'pretty', sink, now: () => NOW });
  log.notice('hidden');
  log.announce('ready', { port: 1 });
  await log.close();
  assert.equal(sink.text, '2026-01-31T12:00:00.000Z NOTICE ready port=1\n');
});
