import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from '../../../core/errors.ts';
import { LOG_LEVELS, type LogLevel } from '../../../core/log.ts';
import { xlog } from '../../../modules/xlog/xlog.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, request, response } from '../fake-core.ts';

const { xlog: write, ...levelled } = xlog.functions;

/** A call whose log is on from `level` up, and the lines that it wrote. */
function setUp(variables = {}, level: LogLevel = 'debug') {
  const log = recordedLog();
  const core = fakeCore({ variables });
  const state = xlog.init({ params: {}, log, core, deps: {} });
  const isEnabled = (asked: LogLevel) => LOG_LEVELS.indexOf(asked) >= LOG_LEVELS.indexOf(level);
  const call = callOf(state, request(), { log: { ...log, isEnabled } });
  const lines = () => log.lines.map((line) => [line.level, line.message]);
  return { call, core, log, lines };
}

test('xlog: each level of Kamailio becomes one of the log', async () => {
  const rows = [
    ['L_ALERT', 'error'],
    ['L_CRIT', 'error'],
    ['L_ERR', 'error'],
    ['L_WARN', 'warn'],
    ['L_NOTICE', 'notice'],
    ['L_INFO', 'info'],
    ['L_DBG', 'debug'],
  ] as const;
  for (const [level, logLevel] of rows) {
    const { call, lines } = setUp();
    await write.call(call, level, 'text');
    assert.deepEqual(lines(), [[logLevel, 'text']]);
  }
});

test('xlog: without a level writes at L_ERR', async () => {
  const { call, lines } = setUp();
  await write.call(call, 'text');
  assert.deepEqual(lines(), [['error', 'text']]);
});

test('xlog: each short name has its level', async () => {
  const rows = [
    ['xdbg', 'debug'],
    ['xinfo', 'info'],
    ['xnotice', 'notice'],
    ['xwarn', 'warn'],
    ['xerr', 'error'],
  ] as const;
  assert.deepEqual(
    Object.keys(levelled),
    rows.map(([name]) => name),
  );
  for (const [name, logLevel] of rows) {
    const { call, lines } = setUp();
    await levelled[name].call(call, 'text');
    assert.deepEqual(lines(), [[logLevel, 'text']]);
  }
});

test('xlog: expands variables at once when none has to wait', () => {
  const { call, lines } = setUp({ $rm: 'INVITE', '$mct(x)': null });
  assert.equal(write.call(call, 'L_INFO', '$rm is $mct(x)'), undefined);
  assert.deepEqual(lines(), [['info', 'INVITE is <null>']]);
});

test('xlog: waits for variables that wait', async () => {
  const { call, lines } = setUp({ '$mct(cnt)': Promise.resolve(2) });
  const done = write.call(call, 'L_INFO', 'counter is now $mct(cnt)');
  assert.deepEqual(lines(), []);
  await done;
  assert.deepEqual(lines(), [['info', 'counter is now 2']]);
});

test('xlog: expands nothing when the level is off', async () => {
  const { call, core, lines } = setUp({}, 'warn');
  core.formats.expand = () => assert.fail('expanded');
  await write.call(call, 'L_INFO', '$mct(x)');
  await levelled.xdbg.call(call, '$mct(x)');
  assert.deepEqual(lines(), []);
});

test('xlog: cuts one line end', async () => {
  for (const [format, message] of [
    ['a\n', 'a'],
    ['a\r\n', 'a'],
    ['a\n\n', 'a\n'],
    ['\n', ''],
    ['a', 'a'],
  ] as const) {
    const { call, lines } = setUp();
    await write.call(call, 'L_INFO', format);
    assert.deepEqual(lines(), [['info', message]]);
  }
});

test('xlog: a line with an unknown level is reported as lost', () => {
  for (const level of ['L_LOUD', 'toString', 'info', '']) {
    const { call, log, lines } = setUp();
    assert.equal(write.call(call, level, 'text'), undefined);
    assert.equal(log.lines[0]?.fields['code'], 'ERR_XLOG_LEVEL');
    assert.deepEqual(lines(), [
      [
        'error',
        `a line was not written: xlog: '${level}' is not a log level: expected one of L_ALERT, L_CRIT, L_ERR, L_WARN, L_NOTICE, L_INFO, L_DBG`,
      ],
    ]);
  }
});

test('xlog: a line whose variables fail is reported as lost, with its format and its call, and the handler goes on', async () => {
  const failures = [
    (): never => {
      throw errors.ERR_PV_UNKNOWN('$rmm', '');
    },
    () => Promise.reject(errors.ERR_PV_UNKNOWN('$rmm', '')),
  ];
  for (const expand of failures) {
    const log = recordedLog();
    const core = fakeCore();
    core.formats.expand = expand;
    const state = xlog.init({ params: {}, log, core, deps: {} });
    await levelled.xdbg.call(callOf(state, request(), { log }), 'typo $rmm here');
    assert.deepEqual(log.lines, [
      {
        level: 'error',
        message: "a line was not written: no pseudo-variable named '$rmm'",
        fields: {
          code: 'ERR_PV_UNKNOWN',
          route: 'request',
          format: 'typo $rmm here',
          callId: 'c1@198.51.100.7',
        },
      },
    ]);
  }
});

test('xlog: works on replies', async () => {
  const log = recordedLog();
  const state = xlog.init({ params: {}, log, core: fakeCore({ variables: { $rs: 180 } }), deps: {} });
  await levelled.xinfo.call(callOf(state, response(), { log }), 'status $rs');
  assert.equal(log.lines[0]?.message, 'status 180');
});
