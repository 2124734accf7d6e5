import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { checkMessage, parseMessage } from '../../core/sip/message.ts';
import { RECEIVED } from './sample.ts';

const folder = resolve(process.env['KAMAIKI_TEST_MATERIAL'] ?? '../shared/tests');
const verdictFile = join(folder, 'expected_torture.json');

interface Verdict {
  readonly file: string;
  /** What a parser should do with it. */
  readonly parser: string;
  readonly acceptable_over_udp: readonly string[];
}
function isVerdicts(value: unknown): value is Verdict[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => 'acceptable_over_udp' in one);
}

/** Verdicts that this layer gives itself; all others come from a later stage, which sees only what was accepted here. */
const OWN = new Set(['400', '413', '416', '505', 'drop']);

if (existsSync(verdictFile)) {
  const verdicts: unknown = JSON.parse(readFileSync(verdictFile, 'utf8'));
  assert.ok(isVerdicts(verdicts));
  for (const { file, parser, acceptable_over_udp: acceptable } of verdicts) {
    test(`torture: ${file} is one of ${acceptable.join(', ')}`, () => {
      const result = parseMessage(readFileSync(join(folder, file)), RECEIVED);
      const rejection = result.ok ? checkMessage(result.msg) : result;
      if (rejection !== null) {
        const verdict = String(rejection.status ?? 'drop');
        return assert.ok(acceptable.includes(verdict), `${verdict}: ${rejection.reason}`);
      }
      // A response that nobody waits for is dropped by a later stage, well formed or not.
      if (result.ok && result.msg.kind === 'response') return assert.equal(parser, 'accept');
      return assert.ok(
        acceptable.some((verdict) => !OWN.has(verdict)),
        'was accepted',
      );
    });
  }
} else {
  test('torture: RFC 4475 and RFC 5118', { skip: `no test material in ${folder}` }, () => {});
}
