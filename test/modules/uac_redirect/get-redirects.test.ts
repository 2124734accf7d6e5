import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes, ProxyError } from '../../../core/index.ts';
import { proxyRig, type Sent } from '../../proxy-rig.ts';
import { answers, answersOf, CELL, DESK, HOME, requestsBy, sentTo } from '../tm/forks.ts';
import { CALLER, request } from '../tm/messages.ts';

interface Options {
  readonly max?: string | number;
  readonly params?: Readonly<Record<string, unknown>>;
  /** Called before get_redirects. */
  readonly before?: (redirect: {
    readonly set_deny_filter: (filter: string, flags?: '' | 'reset_all') => boolean;
    readonly set_accept_filter: (filter: string, flags?: '' | 'reset_all') => boolean;
  }) => void;
  readonly message?: string;
  readonly alsoTo?: string;
}

/** A rig whose desk has got an INVITE; its failure handler follows redirects. */
async function following({ max = '*', params = {}, before, message = request(), alsoTo }: Options = {}) {
  const routes = defineRoutes({
    uses: ['tm', 'uac_redirect'],
    async request({ ksr }) {
      if (alsoTo !== undefined) ksr.tm.append_branch(alsoTo);
      ksr.tm.t_on_failure('redirected');
      await ksr.tm.t_relay();
    },
    failure: {
      async redirected({ ksr, log }) {
        before?.(ksr.uac_redirect);
        const found = ksr.uac_redirect.get_redirects(max);
        log.warn(String(found));
        if (!found) return;
        ksr.tm.t_on_failure('redirected');
        await ksr.tm.t_relay();
      },
    },
  });
  const rig = await proxyRig(routes, { modules: { tm: {}, uac_redirect: params } });
  await rig.receive(message, CALLER);
  const invites = requestsBy(rig.take());
  return {
    rig,
    /** The desk, or whoever else has got an INVITE, answers; what the proxy sends then. */
    answer: async (status: number, headers = '', host = DESK): Promise<Sent[]> => {
      await answers(rig, invites.get(host), { status, host, headers });
      const sent = rig.take();
      const further = requestsBy(sent.filter(({ text }) => text.startsWith('INVITE')));
      for (const [to, invite] of further) invites.set(to, invite);
      return sent;
    },
  };
}

function invited(sent: readonly Sent[]): string[] {
  return sent.filter(({ text }) => text.startsWith('INVITE')).map(({ text }) => text.split(' ')[1] ?? '');
}

function contactLines(sent: readonly Sent[]): string[] {
  return (sent.at(-1)?.text ?? '').split('\r\n').filter((line) => /^(Contact|m):/i.test(line));
}

test('get_redirects: all contacts become branches, and their 3xx is no answer any more', async () => {
  const { rig, answer } = await following();
  const sent = await answer(
    302,
    `Contact: <sip:bob@${CELL}>;q=0.5, "B, \\"C\\"" <sip:bob@${HOME};x=1?a=b>\nm: sip:b@10.0.0.6\n`,
  );
  assert.deepEqual(answersOf(sent), []);
  assert.deepEqual(invited(sent), [`sip:bob@${CELL}`, `sip:bob@${HOME};x=1`, 'sip:b@10.0.0.6']);
  for (const host of [CELL, HOME]) assert.deepEqual(answersOf(await answer(480, '', host)), []);
  assert.deepEqual(answersOf(await answer(404, '', '10.0.0.6')), [480]);
  assert.deepEqual(rig.lines('warn'), ['true', 'false']);
});

test('get_redirects: a 200 from a contact is the answer', async () => {
  const { answer } = await following();
  await answer(302, `Contact: <sip:bob@${CELL}>\n`);
  assert.deepEqual(answersOf(await answer(200, '', CELL)), [200]);
});

for (const [max, taken, rest] of [
  ['1', [CELL], [HOME]],
  ['*:2', [CELL, HOME], ['10.0.0.7']],
  [2, [CELL, HOME], ['10.0.0.7']],
  ['0', [CELL, HOME, '10.0.0.7'], []],
] as const) {
  test(`get_redirects(${max}): takes the best contacts first, and the rest when it is called again`, async () => {
    const { answer } = await following({ max });
    const sent = await answer(
      302,
      `Contact: <sip:bob@10.0.0.7>;q=0.1, <sip:bob@${CELL}>;q=0.9\nContact: <sip:bob@${HOME}>;q=0.5\n`,
    );
    assert.deepEqual(
      invited(sent),
      taken.map((host) => `sip:bob@${host}`),
    );
    let last: Sent[] = [];
    for (const host of taken) last = await answer(404, '', host);
    assert.deepEqual(
      invited(last),
      rest.map((host) => `sip:bob@${host}`),
    );
  });
}

/** Follows once, the first contact only. */
const once = defineRoutes({
  uses: ['tm', 'uac_redirect'],
  async request({ ksr }) {
    ksr.tm.t_on_failure('redirected');
    await ksr.tm.t_relay();
  },
  failure: {
    async redirected({ ksr }) {
      if (ksr.uac_redirect.get_redirects(1)) await ksr.tm.t_relay();
    },
  },
});

for (const [given, left] of [
  [`Contact: <sip:bob@${CELL}>;q=1, <sip:bob@${HOME}>\n`, [`Contact: <sip:bob@${HOME}>`]],
  [
    `Contact: <sip:a@${HOME}>, <sip:bob@${CELL}>;q=1,<sip:c@${HOME}>\n`,
    [`Contact: <sip:a@${HOME}>, <sip:c@${HOME}>`],
  ],
  [`m: <sip:bob@${CELL}>;q=1\nContact: <mailto:bob@example.com>\n`, ['Contact: <mailto:bob@example.com>']],
] as const) {
  test(`get_redirects: the contact that was followed is taken off the 3xx that goes on (${left.join()})`, async () => {
    const rig = await proxyRig(once, { modules: { tm: {}, uac_redirect: {} } });
    await rig.receive(request(), CALLER);
    await answers(rig, requestsBy(rig.take()).get(DESK), { status: 302, host: DESK, headers: given });
    const [cell] = rig.take().filter(({ to }) => to.startsWith(CELL));
    await answers(rig, cell?.text, { status: 404, host: CELL });
    const sent = rig.take();
    assert.deepEqual(answersOf(sent), [302]);
    assert.deepEqual(contactLines(sent), left);
  });
}

test('get_redirects: redirects in a circle end, and no URI is tried twice', async () => {
  const { answer } = await following();
  assert.deepEqual(invited(await answer(302, `Contact: <sip:bob@${CELL}>, <sip:BOB@${DESK}>\n`)), [
    `sip:bob@${CELL}`,
    `sip:BOB@${DESK}`,
  ]);
  const sent = await answer(302, `Contact: <sip:bob@${DESK}>, <sip:%62ob@${CELL}>\n`, CELL);
  assert.deepEqual(invited(sent), []);
});

test('get_redirects: a 3xx that leads nowhere new goes on as it came', async () => {
  const { rig, answer } = await following();
  const sent = await answer(302, `Contact: <sip:bob@${DESK}>\n`);
  assert.deepEqual(answersOf(sent), [302]);
  assert.deepEqual(contactLines(sent), [`Contact: <sip:bob@${DESK}>`]);
  assert.deepEqual(rig.lines('warn'), ['false']);
});

test('get_redirects: contacts of several 3xx, so many of each', async () => {
  const { answer } = await following({ max: '3:2', alsoTo: `sip:bob@${CELL}` });
  await answer(302, 'Contact: <sip:1@10.0.1.1>, <sip:2@10.0.1.2>, <sip:3@10.0.1.3>\n');
  const sent = await answer(301, 'Contact: <sip:4@10.0.1.4>, <sip:5@10.0.1.5>\n', CELL);
  assert.deepEqual(invited(sent), ['sip:1@10.0.1.1', 'sip:2@10.0.1.2', 'sip:4@10.0.1.4']);
});

test('get_redirects: a request has twelve branches at most, whatever a 3xx lists', async () => {
  const { answer } = await following();
  const contacts = Array.from({ length: 40 }, (_, i) => `<sip:${i}@10.0.2.${i}>`);
  const sent = await answer(300, `Contact: ${contacts.join(', ')}\n`);
  assert.equal(invited(sent).length, 11);
});

test('get_redirects: nothing is followed after a 6xx, nor where no 3xx came', async () => {
  for (const status of [404, 603]) {
    const { rig, answer } = await following();
    const sent = await answer(status, `Contact: <sip:bob@${CELL}>\n`);
    assert.deepEqual(answersOf(sent), [status]);
    assert.deepEqual(rig.lines('warn'), ['false']);
  }
});

test('get_redirects: only what SIP reaches, and from a SIPS request only SIPS', async () => {
  const headers = `Contact: <tel:+1>, <sips:s@10.0.0.8>, <sip:bob@${CELL}>, sip:@@, *\n`;
  const plain = await following();
  assert.ok(invited(await plain.answer(302, headers)).includes(`sip:bob@${CELL}`));
  const routes = defineRoutes({
    uses: ['tm', 'pv', 'uac_redirect'],
    async request({ ksr, pv }) {
      pv.$ru.set(`sip:bob@${DESK}`);
      ksr.tm.t_on_failure('redirected');
      await ksr.tm.t_relay();
    },
    failure: { redirected: ({ ksr, log }) => log.warn(String(ksr.uac_redirect.get_redirects('*'))) },
  });
  const rig = await proxyRig(routes, { modules: { pv: {}, tm: {}, uac_redirect: {} } });
  await rig.receive(request({ uri: 'sips:bob@example.com' }), CALLER);
  await answers(rig, requestsBy(rig.take()).get(DESK), {
    status: 302,
    host: DESK,
    headers: `Contact: <sip:bob@${CELL}>\n`,
  });
  assert.deepEqual(rig.lines('warn'), ['false']);
});

const BOTH = `Contact: <sip:bob@${CELL}>, <sip:bob@${HOME}>\n`;
for (const [what, options, wanted] of [
  ['deny_filter', { params: { deny_filter: '@10\\.0\\.0\\.4' } }, [HOME]],
  ['default_filter deny', { params: { default_filter: 'deny' } }, []],
  ['accept_filter', { params: { default_filter: 'deny', accept_filter: CELL } }, [CELL]],
  [
    'an accept filter goes before a deny filter',
    { params: { deny_filter: 'bob', accept_filter: CELL } },
    [CELL],
  ],
  ['set_deny_filter', { before: (redirect) => redirect.set_deny_filter(CELL) }, [HOME]],
  [
    'set_accept_filter',
    { params: { default_filter: 'deny' }, before: (redirect) => redirect.set_accept_filter(HOME) },
    [HOME],
  ],
  [
    'reset_all',
    {
      params: { deny_filter: CELL },
      before(redirect) {
        redirect.set_deny_filter('bob');
        redirect.set_deny_filter(HOME, 'reset_all');
      },
    },
    [CELL],
  ],
] as const satisfies readonly (readonly [string, Options, readonly string[]])[]) {
  test(`filters: ${what}`, async () => {
    const { answer } = await following(options);
    assert.deepEqual(
      invited(await answer(302, BOTH)),
      wanted.map((host) => `sip:bob@${host}`),
    );
  });
}

test('filters: a request takes five added ones of a kind', async () => {
  const results: boolean[] = [];
  const { answer } = await following({
    before(redirect) {
      for (let i = 0; i < 6; i += 1) results.push(redirect.set_deny_filter(`nobody${i}`));
    },
  });
  await answer(302, BOTH);
  assert.deepEqual(results, [true, true, true, true, true, false]);
});

for (const [what, code] of [
  ['max', 'ERR_UAC_REDIRECT_VALUE'],
  ['flags', 'ERR_UAC_REDIRECT_VALUE'],
  ['filter', 'ERR_REGEX_SYNTAX'],
] as const) {
  test(`${code}: a wrong argument (${what}) is named`, async () => {
    let found: unknown = null;
    const { rig, answer } = await following({
      max: what === 'max' ? 'all' : '*',
      before(redirect) {
        try {
          if (what === 'flags') Reflect.apply(redirect.set_deny_filter, redirect, ['a', 'reset']);
          if (what === 'filter') redirect.set_deny_filter('(');
        } catch (error) {
          found = error instanceof ProxyError ? error.code : error;
        }
      },
    });
    const sent = await answer(302, BOTH);
    if (what !== 'max') return assert.equal(found, code);
    assert.deepEqual(answersOf(sent), [302]);
    assert.match(rig.lines('error')[0] ?? '', /get_redirects: expected numbers .*, found "all"/);
  });
}

test('parameters: a filter that is no regular expression is a start error', async () => {
  const routes = defineRoutes({ uses: ['uac_redirect'], request() {} });
  await assert.rejects(
    proxyRig(routes, { modules: { tm: {}, uac_redirect: { deny_filter: '(' } } }),
    /deny_filter.*expected a regular expression/,
  );
});

test('get_redirects: a caller that cancels while a contact rings ends the call', async () => {
  const { rig, answer } = await following();
  await answer(302, `Contact: <sip:bob@${CELL}>\n`);
  await answer(180, '', CELL);
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  assert.deepEqual(sentTo(rig.take()), [`CANCEL ${CELL}`]);
  assert.deepEqual(answersOf(await answer(487, '', CELL)), [487]);
});
