import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes, ProxyError } from '../../../core/index.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { answers, answersOf, CELL, DESK, forking, HOME, requestsBy, sentTo } from './forks.ts';
import { CALLER, header, request } from './messages.ts';

function codeOf(error: unknown): unknown {
  return error instanceof ProxyError ? error.code : error;
}

/** Tries the destinations by q: the failure handler goes on to the next ones. */
function byQ(qs: { readonly desk: number; readonly cell: number; readonly home: number }, mode: 0 | 1 = 0) {
  return defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr, pv }) {
      pv.$ru_q.set(qs.desk);
      ksr.tm.append_branch(`sip:bob@${CELL}`, qs.cell);
      ksr.tm.append_branch({ uri: `sip:bob@${HOME}`, q: qs.home });
      ksr.tm.t_load_contacts(mode);
      ksr.tm.t_next_contacts();
      ksr.tm.t_on_failure('next');
      await ksr.tm.t_relay();
    },
    failure: {
      async next({ ksr }) {
        if (!ksr.tm.t_next_contacts()) return;
        ksr.tm.t_on_failure('next');
        await ksr.tm.t_relay();
      },
    },
  });
}

test('serial: highest q first, the next ones when all before have failed, the best of all at the end', async () => {
  const { rig, requests } = await forking(request(), byQ({ desk: 0.1, cell: 0.9, home: 0.5 }));
  assert.deepEqual([...requests.keys()], [CELL]);
  await answers(rig, requests.get(CELL), { status: 486, host: CELL });
  let sent = rig.take();
  assert.deepEqual(sentTo(sent), [`ACK ${CELL}`, `INVITE ${HOME}`]);
  await answers(rig, requestsBy(sent.slice(1)).get(HOME), { status: 404, host: HOME });
  sent = rig.take();
  assert.deepEqual(sentTo(sent), [`ACK ${HOME}`, `INVITE ${DESK}`]);
  assert.deepEqual(answersOf(sent), []);
  await answers(rig, requestsBy(sent.slice(1)).get(DESK), { status: 500, host: DESK });
  assert.deepEqual(answersOf(rig.take()), [486]);
});

test('serial: destinations of one q are tried together', async () => {
  const { rig, requests } = await forking(request(), byQ({ desk: 0.1, cell: 0.9, home: 0.9 }));
  assert.deepEqual([...requests.keys()], [CELL, HOME]);
  await answers(rig, requests.get(CELL), { status: 486, host: CELL });
  assert.deepEqual(sentTo(rig.take()), [`ACK ${CELL}`]);
  await answers(rig, requests.get(HOME), { status: 486, host: HOME });
  assert.deepEqual(sentTo(rig.take()), [`ACK ${HOME}`, `INVITE ${DESK}`]);
});

test('serial: mode 1 tries them one by one though q is the same; without weight in their order', async () => {
  const { rig, requests } = await forking(request(), byQ({ desk: 0, cell: 0.5, home: 0 }, 1));
  assert.deepEqual([...requests.keys()], [CELL]);
  await answers(rig, requests.get(CELL), { status: 486, host: CELL });
  assert.deepEqual(sentTo(rig.take()), [`ACK ${CELL}`, `INVITE ${DESK}`]);
});

test('serial: with one q for all there is nothing to order: all at once', async () => {
  const { requests } = await forking(request(), byQ({ desk: 0.5, cell: 0.5, home: 0.5 }));
  assert.deepEqual([...requests.keys()], [DESK, CELL, HOME]);
});

test('serial: a destination without q comes last', async () => {
  const results: boolean[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.append_branch(`sip:bob@${CELL}`, 0);
      results.push(ksr.tm.t_load_contacts(), ksr.tm.t_next_contacts());
      await ksr.tm.t_relay();
    },
  });
  const { requests } = await forking(request(), routes);
  assert.deepEqual(results, [true, true]);
  assert.deepEqual([...requests.keys()], [CELL]);
});

test('serial: a 200 from a later destination is the answer', async () => {
  const { rig, requests } = await forking(request(), byQ({ desk: 0.1, cell: 0.9, home: 0.9 }));
  for (const host of [CELL, HOME]) await answers(rig, requests.get(host), { status: 480, host });
  const [desk] = rig.take().filter(({ text }) => text.startsWith('INVITE'));
  await answers(rig, desk?.text, { status: 200, host: DESK });
  assert.deepEqual(answersOf(rig.take()), [200]);
});

test('serial: a caller that cancels between two destinations: the next one is not tried', async () => {
  const { rig, requests } = await forking(request(), byQ({ desk: 0.1, cell: 0.9, home: 0.5 }));
  await answers(rig, requests.get(CELL), { status: 180, host: CELL });
  await rig.receive(request({ method: 'CANCEL' }), CALLER);
  rig.take();
  await answers(rig, requests.get(CELL), { status: 487, host: CELL });
  const sent = rig.take();
  assert.deepEqual(sentTo(sent), [`ACK ${CELL}`]);
  assert.deepEqual(answersOf(sent), [487]);
});

/** Appends to the set in the failure handler. */
const toCell = defineRoutes({
  uses: ['tm', 'pv'],
  async request({ ksr }) {
    ksr.tm.t_on_failure('cell');
    await ksr.tm.t_relay();
  },
  failure: {
    async cell({ ksr, log }) {
      const added = ksr.tm.append_branch(`sip:bob@${CELL}`);
      log.warn(`added: ${added}, relayed: ${await ksr.tm.t_relay()}`);
    },
  },
});

test('failure: a branch appended there is sent to alone: the Request-URI has been tried', async () => {
  const { rig, requests } = await forking(request(), toCell);
  await answers(rig, requests.get(DESK), { status: 404, host: DESK });
  assert.deepEqual(sentTo(rig.take()), [`ACK ${DESK}`, `INVITE ${CELL}`]);
});

test('failure: after a 6xx no branch is made; the 6xx is the answer (16.7 step 5)', async () => {
  const { rig, requests } = await forking(request(), toCell);
  await answers(rig, requests.get(DESK), { status: 603, host: DESK });
  const sent = rig.take();
  assert.deepEqual(sentTo(sent), [`ACK ${DESK}`]);
  assert.deepEqual(answersOf(sent), [603]);
  assert.deepEqual(rig.lines('warn'), ['added: false, relayed: false']);
});

test('append_branch without argument: the Request-URI becomes a branch and may be set anew', async () => {
  const results: boolean[] = [];
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr, pv }) {
      pv.$du.set('sip:10.0.0.9');
      results.push(ksr.tm.append_branch(), pv.$du.get() === null, ksr.tm.append_branch());
      pv.$ru.set(`sip:bob@${CELL}`);
      await ksr.tm.t_relay();
    },
  });
  const { sent } = await forking(request(), routes);
  assert.deepEqual(sentTo(sent), [`INVITE ${CELL}`, 'INVITE 10.0.0.9', `INVITE ${DESK}`]);
  assert.deepEqual(results, [true, true, true]);
});

test('append_branch: each branch may have a next hop of its own; else that of the request counts', async () => {
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr, pv }) {
      pv.$du.set('sip:10.0.0.9');
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      ksr.tm.append_branch({ uri: 'sip:bob@example.com', nextHop: 'sip:10.0.0.8' });
      ksr.tm.append_branch({ uri: `sip:bob@${HOME}`, nextHop: null });
      await ksr.tm.t_relay();
    },
  });
  const { sent } = await forking(request(), routes);
  assert.deepEqual(sentTo(sent), ['INVITE 10.0.0.9', 'INVITE 10.0.0.9', 'INVITE 10.0.0.8', `INVITE ${HOME}`]);
  assert.ok(sent.some(({ text }) => text.startsWith('INVITE sip:bob@example.com SIP/2.0')));
});

test('append_branch: what may not stand in a Request-URI is left out (16.6 step 2)', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.append_branch(`sip:bob@${CELL};method=BYE;x=1?Subject=hello`);
      await ksr.tm.t_relay();
    },
  });
  const { requests } = await forking(request(), routes);
  assert.ok(requests.get(CELL)!.startsWith(`INVITE sip:bob@${CELL};x=1 SIP/2.0\r\n`));
});

test('append_branch: what is in the set already is not added again, by the equality of URIs', async () => {
  const results: boolean[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      results.push(
        ksr.tm.append_branch(`sip:bob@${CELL}`),
        ksr.tm.append_branch(`sip:%62ob@${CELL}`),
        ksr.tm.append_branch(`sip:bob@${DESK}`),
      );
      await ksr.tm.t_relay();
    },
  });
  const { requests } = await forking(request(), routes);
  assert.deepEqual(results, [true, false, true]);
  assert.deepEqual([...requests.keys()].toSorted(), [DESK, CELL]);
});

test('ERR_TM_BRANCHES: twelve branches of one request at most, appended or one after the other', async () => {
  const codes: unknown[] = [];
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr, log }) {
      for (let i = 0; i < 13; i += 1) {
        try {
          ksr.tm.append_branch(`sip:bob@10.0.1.${i}`);
        } catch (error) {
          codes.push(i, codeOf(error));
        }
      }
      log.warn('relaying');
      await ksr.tm.t_relay();
    },
  });
  const { rig, answers: replies } = await forking(request(), routes);
  assert.deepEqual(codes, [12, 'ERR_TM_BRANCHES']);
  assert.deepEqual(replies, [100, 500]);
  assert.match(
    rig.lines('error')[0] ?? '',
    /t_relay: a request has at most 12 branches, this one would have 13/,
  );
});

test('serial: a failure handler that always tries again ends at twelve branches', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.t_on_failure('again');
      await ksr.tm.t_relay();
    },
    failure: {
      async again({ ksr }) {
        ksr.tm.t_on_failure('again');
        await ksr.tm.t_relay();
      },
    },
  });
  const rig = await proxyRig(routes);
  await rig.receive(request(), CALLER);
  for (let i = 1; i <= 12; i += 1) {
    const [invite] = rig.take().filter(({ text }) => text.startsWith('INVITE'));
    await answers(rig, invite?.text, { status: 486, host: DESK });
  }
  const sent = rig.take();
  assert.deepEqual(sentTo(sent), [`ACK ${DESK}`]);
  assert.deepEqual(answersOf(sent), [486]);
});

for (const [call, code] of [
  ['q', 'ERR_TM_VALUE'],
  ['uri', 'ERR_URI_SYNTAX'],
  ['mode', 'ERR_TM_VALUE'],
  ['proxy', 'ERR_TM_VALUE'],
  ['timer', 'ERR_TM_VALUE'],
  ['regex', 'ERR_REGEX_SYNTAX'],
  ['ru_q', 'ERR_TM_VALUE'],
] as const) {
  test(`${code}: a wrong argument (${call}) is named`, async () => {
    let found: unknown = null;
    const routes = defineRoutes({
      uses: ['tm', 'pv'],
      async request({ ksr, pv }) {
        try {
          if (call === 'q') ksr.tm.append_branch('sip:a@b', 1.5);
          if (call === 'uri') ksr.tm.append_branch('bob at home');
          if (call === 'mode') Reflect.apply(ksr.tm.t_load_contacts, ksr.tm, [7]);
          if (call === 'proxy') await ksr.tm.t_relay_to('udp:a b');
          if (call === 'timer') ksr.tm.t_set_fr(-1);
          if (call === 'regex') ksr.tm.t_check_status('(');
          if (call === 'ru_q') pv.$ru_q.set(2);
        } catch (error) {
          found = codeOf(error);
        }
        ksr.tm.t_reply(480, 'Over');
      },
    });
    await forking(request(), routes);
    assert.equal(found, code);
  });
}

test('t_relay_to: everything goes to the proxy, and $du stays as it was', async () => {
  const seen: unknown[] = [];
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr, pv }) {
      ksr.tm.append_branch({ uri: `sip:bob@${CELL}`, nextHop: 'sip:10.0.0.8' });
      await ksr.tm.t_relay_to('udp:10.0.0.7:5070');
      seen.push(pv.$du.get());
    },
  });
  const { sent } = await forking(request(), routes);
  const requests = sent.filter(({ text }) => text.startsWith('INVITE'));
  assert.deepEqual(
    requests.map(({ text, to }) => [text.split(' ')[1], to]),
    [
      [`sip:bob@${DESK}`, '10.0.0.7:5070'],
      [`sip:bob@${CELL}`, '10.0.0.7:5070'],
    ],
  );
  assert.deepEqual(seen, [null]);
  assert.equal(header(requests[0]!.text, 'Max-Breadth'), '30');
});
