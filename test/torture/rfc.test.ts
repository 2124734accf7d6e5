import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { material } from './material.ts';
import { TortureRig, unusable } from './rig.ts';

interface Verdict {
  readonly file: string;
  readonly section: string;
  readonly acceptable_over_udp: readonly string[];
}

function isVerdicts(value: unknown): value is Verdict[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => 'acceptable_over_udp' in one);
}

/** Requests to a registrar, which this proxy is not: it hands them on, with every Contact as it came. */
const FOR_A_REGISTRAR: ReadonlySet<string> = new Set([
  'rfc4475/cparam02.dat',
  'rfc4475/regescrt.dat',
  'rfc4475/regbadct.dat',
]);

/** Messages of RFC 5118 whose Content-Length has been put right. */
const CORRECTED: readonly Verdict[] = [
  { file: 'rfc5118/ipv6-in-sdp.clfixed.dat', section: '4.6', acceptable_over_udp: ['forward'] },
  { file: 'rfc5118/mult-ip-in-sdp.clfixed.dat', section: '4.8', acceptable_over_udp: ['forward'] },
];

/** What says nothing of the verdict: the proxy's 100, and the sink's answer (or its retransmission for an earlier message). */
const BESIDES = new Set(['100', '480']);

/** Several messages of RFC 5118 have one branch and would be retransmissions of each other: each gets one of its own. */
function withOwnBranch(bytes: Buffer, place: number): Buffer {
  const own = bytes.toString('latin1').replace(/(branch=z9hG4bKas3)(?:-111)?(?=[\r\n;])/, `$1-own${place}`);
  return Buffer.from(own, 'latin1');
}

/** The header lines of a message that a proxy hands on as they came: all but the top Via and Max-Forwards. */
function untouchedLines(text: string): string[] {
  const head = text.slice(0, text.indexOf('\r\n\r\n'));
  const headers = head.split(/\r\n(?![ \t])/).slice(1);
  const topVia = headers.findIndex((header) => /^(?:via|v)\s*:/i.test(header));
  return headers.filter((header, i) => i !== topVia && !/^max-forwards\s*:/i.test(header));
}

const file = material('expected_torture.json');

describe('torture: RFC 4475 and RFC 5118 over UDP', {
  skip: file === null ? 'expected_torture.json is missing' : unusable,
}, () => {
  if (file === null) return;
  const verdicts: unknown = JSON.parse(readFileSync(file, 'utf8'));
  assert.ok(isVerdicts(verdicts));
  let rig: TortureRig;
  before(async () => {
    rig = await TortureRig.start();
  });
  after(() => rig.stop());

  for (const [place, { file: name, section, acceptable_over_udp: listed }] of [
    ...verdicts,
    ...CORRECTED,
  ].entries()) {
    const acceptable = FOR_A_REGISTRAR.has(name) ? [...listed, 'forward'] : listed;
    test(`torture: ${name} (${section}) is one of ${acceptable.join(', ')}`, async () => {
      const bytes = readFileSync(join(dirname(file), name));
      rig.replies.length = 0;
      rig.sink.requests.length = 0;
      await rig.send(withOwnBranch(bytes, place));
      await rig.probe(bytes.length);
      const statuses = rig.replies
        .filter((text) => !text.includes('\r\nCall-ID: probe-'))
        .map((text) => text.split(' ')[1] ?? '')
        .filter((status) => !BESIDES.has(status));
      const forwarded = rig.sink.requests[0];
      assert.ok(new Set(rig.sink.requests).size <= 1, 'sent on as two different requests');
      assert.deepEqual(rig.sink.faults, []);
      if (forwarded === undefined) {
        const verdict = statuses[0] ?? 'drop';
        return assert.ok(acceptable.includes(verdict), `${verdict}: ${rig.replies.join('\n')}`);
      }
      assert.deepEqual(statuses, [], 'both sent on and answered');
      assert.ok(acceptable.includes('forward') || acceptable.includes('forward-repaired'), forwarded);
      const headers = new Set(forwarded.split(/\r\n(?![ \t])/));
      return assert.deepEqual(
        untouchedLines(bytes.toString('latin1')).filter((header) => !headers.has(header)),
        [],
        'headers that were not handed on as they came',
      );
    });
  }

  test('torture: the proxy complained of none of them', () => {
    const complaints = rig.proxy.log().filter(({ level }) => level === 'error' || level === 'warn');
    assert.deepEqual(complaints, []);
  });
});
