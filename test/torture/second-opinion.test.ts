import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { missing } from '../programs/missing.ts';
import { material } from './material.ts';
import { type Lines, mutatedMessage } from './mutations.ts';
import { unusable } from './rig.ts';
import { explanationOf, KNOWN_KINDS, KNOWN_MESSAGES } from './second-opinion-known.ts';
import { difference, verdictClass } from './second-opinion-outcome.ts';
import { type Outcomes, SecondOpinion } from './second-opinion-rig.ts';

/** Mutated messages that both get: they take a few seconds. */
const MUTATED = 300;
/** Gives the same messages in every run. */
const SEED = 4475;
/** What every sound message has where a number of its own is to stand, so that no two are retransmissions of each other. */
const OWN = '10000000';

interface Verdict {
  readonly file: string;
  readonly acceptable_over_udp: readonly string[];
  readonly kamailio_5_6_3: string;
}

function isVerdicts(value: unknown): value is Verdict[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => 'kamailio_5_6_3' in one);
}

/** Whether what Kamailio does with a message is, by class, among what the RFC allows. */
function isSecondOpinion({ acceptable_over_udp: acceptable, kamailio_5_6_3: kamailio }: Verdict): boolean {
  const [word = ''] = kamailio.split(' ');
  return acceptable.some((each) => verdictClass(each.replace('-repaired', '')) === verdictClass(word));
}

/** Some messages have the branch of another, and would be its retransmissions: each gets one of its own, in its top Via. */
function withOwnBranch(text: string, place: number): string {
  return text.replace(/branch=z9hG4bK(?=\w)/, `branch=z9hG4bKown${place}`);
}

const BODY = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n';

function sound(method: string): Lines {
  return {
    start: `${method} sip:bob@example.com;user=phone SIP/2.0`,
    headers: [
      `Via: SIP/2.0/UDP caller.example.com:5060;branch=z9hG4bK${OWN}`,
      `Via: SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bKl${OWN};received=192.0.2.9`,
      'Max-Forwards: 70',
      `From: "Alice \\"A\\" Doe" <sip:alice@example.com>;tag=${OWN}`,
      'To: Bob <sip:bob@example.com;user=phone>',
      `Call-ID: ${OWN}@caller.example.com`,
      `CSeq: 1 ${method}`,
      'Contact: <sip:alice@caller.example.com;transport=udp>;q=0.5',
      'Route: <sip:next.example.com;lr>',
      'Supported: timer, 100rel',
      'Content-Type: application/sdp',
      `Content-Length: ${BODY.length}`,
    ],
    body: BODY,
  };
}

/** Not ACK and CANCEL: what becomes of them depends on what came before. */
const SOUND = ['INVITE', 'BYE', 'OPTIONS', 'REGISTER', 'SUBSCRIBE', 'MESSAGE'].map(sound);

/** The mutated messages, each with a number of its own, in every branch; a reply that one asks for elsewhere stays on this machine. */
function mutatedMessages(): string[] {
  return fc.sample(mutatedMessage(SOUND), { seed: SEED, numRuns: MUTATED }).map((text, i) => {
    const own = String(Number(OWN) + i + 1);
    return text
      .replaceAll(OWN, own)
      .replaceAll('z9hG4bKlower', `z9hG4bKextra${own}`)
      .replaceAll('10.0.0.9', '127.0.0.9');
  });
}

function described(message: string, { kamaiki, kamailio }: Outcomes): string {
  return [
    `message: ${JSON.stringify(message)}`,
    `kamaiki: ${kamaiki.verdict} ${JSON.stringify(kamaiki.forwarded)}`,
    `Kamailio: ${kamailio.verdict} ${JSON.stringify(kamailio.forwarded)}`,
  ].join('\n');
}

const file = material('expected_torture.json');
const noKamailio = missing('kamailio');

describe('second opinion: kamaiki next to Kamailio', { skip: noKamailio ?? unusable }, () => {
  if (noKamailio !== null) return;
  let opinion: SecondOpinion;
  before(async () => {
    opinion = await SecondOpinion.start();
  });
  after(() => opinion.stop());

  test('second opinion: both send sound messages on, and alike', async () => {
    for (const message of SOUND) {
      const text = [message.start, ...message.headers, '', message.body].join('\r\n');
      const outcomes = await opinion.ask(text);
      assert.equal(outcomes.kamaiki.verdict, 'forwarded', described(text, outcomes));
      assert.equal(difference(outcomes.kamaiki, outcomes.kamailio), null, described(text, outcomes));
    }
  });

  describe('messages of RFC 4475 and RFC 5118', {
    skip: file === null ? 'expected_torture.json is missing' : false,
  }, () => {
    if (file === null) return;
    const verdicts: unknown = JSON.parse(readFileSync(file, 'utf8'));
    assert.ok(isVerdicts(verdicts));
    for (const [place, { file: name }] of verdicts.filter(isSecondOpinion).entries()) {
      const known = KNOWN_MESSAGES.get(name);
      test(`second opinion: ${name}: ${known === undefined ? 'both do the same' : known.why}`, async () => {
        const text = withOwnBranch(readFileSync(join(dirname(file), name), 'latin1'), place);
        const outcomes = await opinion.ask(text);
        const found = difference(outcomes.kamaiki, outcomes.kamailio);
        if (known === undefined) return assert.equal(found, null, described(text, outcomes));
        const classes = [outcomes.kamaiki, outcomes.kamailio].map(({ verdict }) => verdictClass(verdict));
        return assert.deepEqual(classes, [known.kamaiki, known.kamailio], described(text, outcomes));
      });
    }
  });

  test('second opinion: of mutated messages, what both do differs in known ways alone', async (t) => {
    const unknown: string[] = [];
    const met = new Map<string, number>();
    const alike = new Map<string, number>();
    for (const message of mutatedMessages()) {
      const outcomes = await opinion.ask(message);
      const kind = difference(outcomes.kamaiki, outcomes.kamailio);
      if (kind === null) {
        const word = verdictClass(outcomes.kamaiki.verdict);
        alike.set(word, (alike.get(word) ?? 0) + 1);
        continue;
      }
      const known = explanationOf(kind, message);
      if (known === null) unknown.push(`${kind}\n${described(message, outcomes)}`);
      else met.set(known.why, (met.get(known.why) ?? 0) + 1);
    }
    for (const [what, count] of [...alike, ...met]) t.diagnostic(`${count}: ${what}`);
    assert.deepEqual(unknown, []);
    assert.ok((alike.get('forwarded') ?? 0) >= MUTATED / 10, 'few were sent on by both');
    assert.deepEqual(
      KNOWN_KINDS.map(({ why }) => why).filter((why) => !met.has(why)),
      [],
      'differences that are known, but there no more',
    );
  });

  test('second opinion: all that kamaiki sent on was well formed', () => {
    assert.deepEqual(opinion.faults, []);
  });
});
