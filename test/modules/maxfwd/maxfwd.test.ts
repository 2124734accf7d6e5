import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxfwd } from '../../../modules/maxfwd/maxfwd.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, linesOf, printed, request } from '../fake-core.ts';

const init = (maxLimit = 70) =>
  maxfwd.init({ params: { max_limit: maxLimit }, log: recordedLog(), core: fakeCore(), deps: {} });
const { process_maxfwd, is_maxfwd_lt } = maxfwd.functions;

test('process_maxfwd: lowers, adds, limits or refuses Max-Forwards', () => {
  const rows: [received: string | null, ok: boolean, leaving: string[]][] = [
    ['70', true, ['Max-Forwards: 69']],
    ['1', true, ['Max-Forwards: 0']],
    ['0', false, ['Max-Forwards: 0']],
    [null, true, ['Max-Forwards: 10']],
    ['71', true, ['Max-Forwards: 70']],
    ['255', true, ['Max-Forwards: 70']],
    ['99999999999', true, ['Max-Forwards: 70']],
    ['abc', false, ['Max-Forwards: abc']],
  ];
  for (const [maxForwards, ok, leaving] of rows) {
    const msg = request({ maxForwards });
    assert.equal(process_maxfwd.call(callOf(init(), msg), 10), ok, String(maxForwards));
    assert.deepEqual(linesOf(printed(msg), 'max-forwards'), leaving, String(maxForwards));
    assert.equal(msg.maxForwardsDone, ok, String(maxForwards));
  }
});

test('process_maxfwd: leaves every other byte alone', () => {
  const msg = request({ headers: ['X-Odd :  a  b'], maxForwards: '70' });
  process_maxfwd.call(callOf(init(), msg), 10);
  assert.equal(printed(msg), msg.head.replace('Max-Forwards: 70', 'Max-Forwards: 69'));
});

test('process_maxfwd: what it wrote goes with the header when that is removed afterwards', () => {
  const msg = request({ maxForwards: '70' });
  process_maxfwd.call(callOf(init(), msg), 10);
  const header = msg.findName('max-forwards');
  msg.edits.remove(msg.headerStart(header), msg.headerEnd(header));
  assert.equal(printed(msg), msg.head.replace('Max-Forwards: 70\r\n', ''));
});

test('process_maxfwd: a second call in the same run changes nothing', () => {
  const call = callOf(init(), request({ maxForwards: '5' }));
  assert.equal(process_maxfwd.call(call, 10), true);
  assert.equal(process_maxfwd.call(call, 10), true);
  assert.deepEqual(linesOf(printed(call.msg), 'max-forwards'), ['Max-Forwards: 4']);
});

test('process_maxfwd: lowers to max_limit of the configuration', () => {
  const msg = request({ maxForwards: '70' });
  assert.equal(process_maxfwd.call(callOf(init(20), msg), 10), true);
  assert.deepEqual(linesOf(printed(msg), 'max-forwards'), ['Max-Forwards: 20']);
});

test('process_maxfwd: a limit that is no integer from 1 to max_limit is ERR_MAXFWD_LIMIT', () => {
  for (const limit of [0, -1, 71, 1.5, Number.NaN]) {
    const msg = request();
    assert.throws(() => process_maxfwd.call(callOf(init(), msg), limit), {
      code: 'ERR_MAXFWD_LIMIT',
      message: `process_maxfwd: expected an integer from 1 to max_limit (70), found ${limit}`,
    });
    assert.equal(msg.edits.size, 0);
  }
});

test('is_maxfwd_lt: compares what was received, and what was written once that is done', () => {
  const call = callOf(init(), request({ maxForwards: '70' }));
  assert.equal(is_maxfwd_lt.call(call, 70), false);
  assert.equal(is_maxfwd_lt.call(call, 71), true);
  process_maxfwd.call(call, 10);
  assert.equal(is_maxfwd_lt.call(call, 70), true);
  assert.equal(is_maxfwd_lt.call(call, 69), false);
});

test('is_maxfwd_lt: false without the header, true for the one added', () => {
  const call = callOf(init(), request({ maxForwards: null }));
  assert.equal(is_maxfwd_lt.call(call, 255), false);
  process_maxfwd.call(call, 10);
  assert.equal(is_maxfwd_lt.call(call, 11), true);
  assert.equal(is_maxfwd_lt.call(call, 10), false);
});
