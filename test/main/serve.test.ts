import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import type { LogFields, Logger } from '../../core/log.ts';
import { serve, type Servable } from '../../core/main/serve.ts';
import { FakeClock } from '../../core/testing/fake-clock.ts';

type Line = readonly [string, string, LogFields?];

interface Bench {
  readonly clock: FakeClock;
  readonly events: EventEmitter;
  readonly lines: Line[];
  readonly exits: number[];
  /** How often `renew` was called. */
  readonly renewals: () => number;
  /** Resolves when a line with this message has been logged. */
  readonly logged: (message: string) => Promise<void>;
  readonly served: Promise<number>;
}

/** Serves a proxy on events that the test emits. */
function bench(
  proxy: Partial<Servable>,
  reload: () => Promise<void> = () => Promise.resolve(),
  { hungUp = false } = {},
): Bench {
  const clock = new FakeClock();
  const events = new EventEmitter();
  const lines: Line[] = [];
  const exits: number[] = [];
  let renewed = 0;
  const written = new EventEmitter();
  const write = (...line: Line): void => {
    lines.push(line);
    written.emit(line[1]);
  };
  const by = (level: string) => (message: string, fields?: LogFields) => write(level, message, fields);
  const log: Logger = {
    isEnabled: () => true,
    child: () => log,
    debug: by('debug'),
    info: by('info'),
    notice: by('notice'),
    warn: by('warn'),
    error: by('error'),
  };
  const served = serve(
    {
      points: [
        { protocol: 'udp', address: '127.0.0.1', port: 5060 },
        { protocol: 'udp', address: '::1', port: 5061 },
      ],
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      ...proxy,
    },
    {
      log,
      announce: by('announce'),
      events,
      exit: (code) => exits.push(code),
      now: () => clock.now(),
      hungUp,
      renew: () => {
        renewed++;
      },
      reload,
    },
  );
  return {
    clock,
    events,
    lines,
    exits,
    renewals: () => renewed,
    served,
    logged: async (message) => {
      if (!lines.some(([, text]) => text === message)) await once(written, message);
    },
  };
}

test('serve: says ready once, with the addresses, when the proxy has started', async () => {
  const { events, lines, logged, served } = bench({});
  await logged('ready');
  assert.deepEqual(lines, [['announce', 'ready', { listen: 'udp:127.0.0.1:5060 udp:[::1]:5061' }]]);
  events.emit('SIGTERM', 'SIGTERM');
  await served;
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`serve: ${signal} stops the proxy and gives exit code 0`, async () => {
    let stops = 0;
    const { events, logged, served } = bench({
      stop: async () => {
        stops++;
      },
    });
    await logged('ready');
    events.emit(signal, signal);
    assert.equal(await served, 0);
    assert.equal(stops, 1);
  });
}

test('serve: a second signal ends the process at once, but not the first one that comes twice', async () => {
  const release = new EventEmitter();
  const { clock, events, exits, logged, served } = bench({
    stop: async () => {
      await once(release, 'go');
    },
  });
  await logged('ready');
  events.emit('SIGTERM', 'SIGTERM');
  await logged('stopping');
  events.emit('SIGINT', 'SIGINT');
  assert.deepEqual(exits, []);
  clock.advance(500);
  events.emit('SIGINT', 'SIGINT');
  assert.deepEqual(exits, [1]);
  await new Promise(setImmediate);
  release.emit('go');
  await served;
});

test('serve: a signal during the start stops the proxy, which then never says ready', async () => {
  const release = new EventEmitter();
  const { events, lines, served } = bench({
    start: async () => {
      await once(release, 'go');
      throw new Error('interrupted');
    },
    stop: async () => {
      release.emit('go');
    },
  });
  events.emit('SIGTERM', 'SIGTERM');
  assert.equal(await served, 0);
  assert.ok(!lines.some(([, text]) => text === 'ready'));
});

test('serve: throws what the start threw, and listens to no signal any more', async () => {
  const { events, served } = bench({ start: () => Promise.reject(new Error('address in use')) });
  await assert.rejects(served, /address in use/);
  assert.deepEqual(events.eventNames(), []);
});

test('serve: SIGHUP reloads the routes', async () => {
  let reloads = 0;
  const { events, logged, served } = bench({}, async () => {
    reloads++;
  });
  await logged('ready');
  events.emit('SIGHUP', 'SIGHUP');
  await logged('routes reloaded');
  assert.equal(reloads, 1);
  events.emit('SIGTERM', 'SIGTERM');
  assert.equal(await served, 0);
});

test('serve: a SIGHUP that came before counts once the proxy is ready', async () => {
  const { events, lines, logged, renewals, served } = bench({}, undefined, { hungUp: true });
  await logged('routes reloaded');
  assert.deepEqual(
    lines.map(([, message]) => message),
    ['ready', 'routes reloaded'],
  );
  assert.equal(renewals(), 1);
  events.emit('SIGTERM', 'SIGTERM');
  assert.equal(await served, 0);
});

test('serve: routes that are wrong are reported line by line, and the proxy goes on', async () => {
  const { events, lines, logged, served } = bench({}, () =>
    Promise.reject(new Error('a.ts:1:1: one\na.ts:2:1: two')),
  );
  await logged('ready');
  events.emit('SIGHUP', 'SIGHUP');
  await logged('a.ts:2:1: two');
  assert.deepEqual(
    lines.filter(([level]) => level === 'error').map(([, text]) => text),
    ['routes not reloaded, the ones before stay in force', 'a.ts:1:1: one', 'a.ts:2:1: two'],
  );
  events.emit('SIGTERM', 'SIGTERM');
  assert.equal(await served, 0);
});

test('serve: signals during a reload cause one more, however many come; what need not wait is renewed at each', async () => {
  const pending: (() => void)[] = [];
  const { events, lines, logged, renewals, served } = bench(
    {},
    () => new Promise<void>((resolve) => pending.push(resolve)),
  );
  await logged('ready');
  for (let n = 0; n < 3; n++) events.emit('SIGHUP', 'SIGHUP');
  assert.deepEqual([pending.length, renewals()], [1, 3]);
  pending[0]?.();
  await logged('routes reloaded');
  await new Promise(setImmediate);
  assert.equal(pending.length, 2);
  pending[1]?.();
  await new Promise(setImmediate);
  assert.equal(pending.length, 2);
  assert.equal(lines.filter(([, text]) => text === 'routes reloaded').length, 2);
  events.emit('SIGTERM', 'SIGTERM');
  await served;
});

test('serve: a rejection that no one handles is logged, and the proxy goes on', async () => {
  const { events, lines, logged, served } = bench({});
  await logged('ready');
  const error = new Error('forgotten');
  events.emit('unhandledRejection', error);
  assert.deepEqual(lines.at(-1), ['error', 'a rejected promise was not handled', { error }]);
  events.emit('SIGTERM', 'SIGTERM');
  assert.equal(await served, 0);
});

test('serve: an exception that no one catches is logged, stops the proxy and gives exit code 1', async () => {
  let stops = 0;
  const { events, lines, logged, served } = bench({
    stop: async () => {
      stops++;
    },
  });
  await logged('ready');
  const error = new Error('broken');
  events.emit('uncaughtException', error);
  assert.equal(await served, 1);
  assert.equal(stops, 1);
  assert.ok(lines.some(([level, , fields]) => level === 'error' && fields?.['error'] === error));
});

test('serve: a start that never ends does not keep a signal from stopping the proxy', async () => {
  const { events, served } = bench({ start: () => new Promise<never>(() => undefined) });
  events.emit('SIGTERM', 'SIGTERM');
  assert.equal(await served, 0);
});
