import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headFault } from './head-fault.ts';

const SOUND = 'INVITE sip:a SIP/2.0\r\nVia: x\r\nSubject: a\r\n\tb\r\nContent-Length: 2\r\n\r\nhi';

test('head fault: a sound message has none', () => {
  assert.equal(headFault(Buffer.from(SOUND)), null);
});

for (const [what, from, to] of [
  ['no empty line', '\r\n\r\nhi', ''],
  ['CR or LF alone', 'Subject: a', 'Subject: a\nRoute: <sip:b>'],
  ['CR or LF alone', 'Subject: a', 'Subject: a\rRoute: <sip:b>'],
  ['start line', 'sip:a', 'sip:a b'],
  ["not the proxy's Via on top", 'Via: x\r\n', ''],
  ['a line that is no header', 'Subject: a', 'Subject a'],
  ['Content-Length is not 3', 'hi', 'hi!'],
] as const) {
  test(`head fault: ${JSON.stringify(to)} for ${JSON.stringify(from)}: ${what}`, () => {
    assert.equal(headFault(Buffer.from(SOUND.replace(from, to))), what);
  });
}
