import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  durationMs,
  goodputOf,
  offeredOf,
  parseStatistics,
  recoveryOf,
  together,
} from '../bench/sipp-statistics.ts';

const COLUMNS = [
  'StartTime',
  'CurrentTime',
  'OutgoingCall',
  'SuccessfulCall',
  'refused',
  'FailedCall',
  'Retransmissions',
];

/** A statistics file: lines at some seconds, each with what came in it: started, successful, refused, failed, retransmissions. */
function file(
  lines: readonly (readonly [atS: number, ...counts: number[]])[],
  answer = '00:00:00:052000',
): string {
  const [, , ...counted] = COLUMNS;
  const head = [
    'StartTime',
    'CurrentTime',
    ...counted.flatMap((name) => [`${name}(P)`, `${name}(C)`]),
    'ResponseTimeanswer(C)',
  ];
  const totals = counted.map(() => 0);
  const rows = lines.map(([atS, ...counts]) => {
    const cells = counted.flatMap((_, i) => {
      totals[i] = (totals[i] ?? 0) + (counts[i] ?? 0);
      return [String(counts[i] ?? 0), String(totals[i])];
    });
    return ['day\ttime\t1000.0', `day\ttime\t${1000 + atS}`, ...cells, answer];
  });
  return [head, ...rows].map((row) => `${row.join(';')};`).join('\n');
}

/** Ten seconds at 100 calls a second; those of one second end in the next. */
const STEADY = file([[0], [1, 100, 85], [2, 100, 100], [3, 100, 100], [3.2, 0, 15]]);

test('SIPp statistics: the totals are those of the last line', () => {
  const { started, successful, failed, refused, retransmissions, answerMs } = parseStatistics(STEADY);
  assert.deepEqual(
    { started, successful, failed, refused, retransmissions, answerMs },
    { started: 300, successful: 300, failed: 0, refused: 0, retransmissions: 0, answerMs: 52 },
  );
});

test('SIPp statistics: the line of the start is no interval, and each interval has its end', () => {
  const ends = parseStatistics(STEADY).intervals.map(({ endS }) => Math.round(endS * 10) / 10);
  assert.deepEqual(ends, [1, 2, 3, 3.2]);
});

test('SIPp statistics: a file without figures is an error', () => {
  for (const text of ['', 'StartTime;CurrentTime;']) {
    assert.throws(() => parseStatistics(text), /no statistics/);
  }
});

for (const [text, ms] of [
  ['00:00:00:000000', 0],
  ['00:00:00:052500', 52.5],
  ['00:00:02:000000', 2000],
  ['01:01:01:001000', 3_661_001],
] as const) {
  test(`SIPp statistics: ${text} is ${ms} ms`, () => {
    assert.equal(durationMs(text), ms);
  });
}

test('SIPp statistics: goodput leaves out the first second, refused calls and what comes after the last call', () => {
  const statistics = parseStatistics(
    file([[0], [1, 200, 120, 40], [2, 200, 190, 80], [3.25, 200, 190, 80], [5, 0, 999]]),
  );
  assert.equal(goodputOf(statistics, 3), goodputOf(parseStatistics(file([[0], [1], [2, 200, 190, 80]])), 3));
  assert.equal(offeredOf(statistics, 4), 400 / 2.25);
  assert.equal(goodputOf(statistics, 4), 220 / 2.25);
});

test('SIPp statistics: several SIPps count as one, second by second', () => {
  const both = together([
    parseStatistics(STEADY),
    parseStatistics(file([[0], [1.1, 50, 40, 10, 1, 2], [2.1, 50, 40, 10, 3, 4]], '00:00:00:112000')),
  ]);
  assert.deepEqual(
    [both.started, both.successful, both.refused, both.failed, both.retransmissions],
    [400, 380, 20, 4, 6],
  );
  // 300 calls at 52 ms and 60 at 112: refused ones were not answered.
  assert.equal(both.answerMs, 62);
  assert.deepEqual(
    both.intervals.map(({ started, endS }) => [started, Math.round(endS * 10) / 10]),
    [
      [150, 1.1],
      [150, 2.1],
      [100, 3],
      [0, 3.2],
    ],
  );
});

test('SIPp statistics: it is well once nothing is wrong for two seconds, and what is wrong later is told apart', () => {
  const statistics = parseStatistics(
    file([[0], [1, 10, 9, 0, 1], [2, 10, 10], [3, 10, 9, 0, 1], [4, 10, 10], [5, 10, 10], [6, 10, 7, 0, 3]]),
  );
  assert.deepEqual(
    recoveryOf(statistics, ({ failed }) => failed),
    { afterS: 3, wrongLater: 3 },
  );
  assert.deepEqual(
    recoveryOf(statistics, ({ retransmissions }) => retransmissions),
    { afterS: 0, wrongLater: 0 },
  );
  assert.deepEqual(
    recoveryOf(statistics, ({ started }) => started),
    { afterS: 6, wrongLater: 0 },
  );
});
