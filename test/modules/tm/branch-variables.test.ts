import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes, ProxyError } from '../../../core/index.ts';
import { CELL, DESK, forking, HOME, sentTo } from './forks.ts';
import { request } from './messages.ts';

test('$branch: attributes of the destinations appended, by index, in TypeScript and in text', async () => {
  const seen: unknown[] = [];
  const routes = defineRoutes({
    uses: ['tm', 'pv', 'xlog'],
    async request({ ksr, pv }) {
      seen.push(pv.$branch('count').get(), pv.$branch('uri').get(), pv.$br.get(), pv.$bR.get());
      pv.$du.set('sip:10.0.0.9');
      ksr.tm.append_branch(`sip:bob@${CELL}`, 0.5);
      ksr.tm.append_branch({ uri: `sip:bob@${HOME}`, nextHop: null, path: '<sip:10.0.0.7;lr>' });
      for (const index of [0, 1, -1, 2, -3])
        seen.push((['uri', 'dst_uri', 'q', 'path'] as const).map((name) => pv.$branch(name, index).get()));
      seen.push(pv.$branch('send_socket').get(), pv.$br.get(), pv.$bR.get());
      pv.$var('i').set(1);
      await ksr.xlog.xlog('L_WARN', '$branch(count): $(branch(uri)[0]) $(branch(uri)[$var(i)]) $branch(q)');
      ksr.tm.t_reply(480, 'Over');
    },
  });
  const { rig } = await forking(request(), routes);
  const cell = [`sip:bob@${CELL}`, 'sip:10.0.0.9', 0.5, null];
  const home = [`sip:bob@${HOME}`, null, null, '<sip:10.0.0.7;lr>'];
  const none = [null, null, null, null];
  assert.deepEqual(seen.slice(0, 4), [0, null, null, null]);
  assert.deepEqual(seen.slice(4, 9), [cell, home, home, none, none]);
  assert.deepEqual(seen.slice(9), [null, `sip:bob@${CELL}`, `sip:bob@${CELL},sip:bob@${HOME}`]);
  assert.deepEqual(rig.lines('warn'), [`2: sip:bob@${CELL} sip:bob@${HOME} 0.5`]);
});

test('$branch: what is set is what the branch is sent with', async () => {
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr, pv }) {
      for (const user of ['a', 'b', 'c', 'd']) ksr.tm.append_branch(`sip:${user}@${CELL}`);
      pv.$branch('uri', 0).set(`sip:new@${HOME};method=BYE`);
      pv.$branch('dst_uri', 1).set('sip:10.0.0.8');
      pv.$branch('path', 2).set('<sip:10.0.0.6;lr>, <sip:10.0.0.7;lr>');
      await ksr.pv.sets('$(branch(uri)[-1])', '');
      pv.$br.set('sip:e@10.0.0.5');
      await ksr.tm.t_relay();
    },
  });
  const { sent } = await forking(request(), routes);
  const invites = sent.filter(({ text }) => text.startsWith('INVITE'));
  assert.deepEqual(
    invites.map(({ text, to }) => `${text.split(' ')[1]} -> ${to}`),
    [
      `sip:bob@${DESK} -> ${DESK}:5060`,
      `sip:new@${HOME} -> ${HOME}:5060`,
      `sip:b@${CELL} -> 10.0.0.8:5060`,
      `sip:c@${CELL} -> 10.0.0.6:5060`,
      'sip:e@10.0.0.5 -> 10.0.0.5:5060',
    ],
  );
  assert.match(invites[3]!.text, /\r\nRoute: <sip:10\.0\.0\.6;lr>, <sip:10\.0\.0\.7;lr>\r\n/);
  assert.ok(!invites[2]!.text.includes('Route:'));
});

test('$branch: the path stands in front of the Routes that the request has', async () => {
  const routes = defineRoutes({
    uses: ['tm'],
    async request({ ksr }) {
      ksr.tm.append_branch({ uri: `sip:bob@${CELL}`, path: '<sip:10.0.0.6;lr>' });
      await ksr.tm.t_relay();
    },
  });
  const { sent } = await forking(request({ headers: 'Route: <sip:10.0.0.7;lr>\n' }), routes);
  assert.deepEqual(sentTo(sent), ['INVITE 10.0.0.7', 'INVITE 10.0.0.6']);
  assert.match(sent.at(-1)!.text, /Route: <sip:10\.0\.0\.6;lr>\r\nRoute: <sip:10\.0\.0\.7;lr>\r\n/);
});

test('t_next_contacts: the Request-URI takes the path of its contact along, and leaves it behind', async () => {
  const seen: unknown[] = [];
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr, pv }) {
      ksr.tm.append_branch({ uri: `sip:bob@${CELL}`, q: 1, path: '<sip:10.0.0.6;lr>' });
      ksr.tm.t_load_contacts();
      ksr.tm.t_next_contacts();
      seen.push(pv.$ru.get());
      ksr.tm.t_on_failure('next');
      await ksr.tm.t_relay();
    },
    failure: {
      async next({ ksr, pv }) {
        ksr.tm.t_next_contacts();
        seen.push(pv.$ru.get());
        await ksr.tm.t_relay();
      },
    },
  });
  const { rig, sent } = await forking(request(), routes);
  assert.deepEqual(sentTo(sent), ['INVITE 10.0.0.6']);
  await rig.advance(32_000);
  const second = rig.take().filter(({ to }) => to.startsWith(DESK));
  assert.equal(second.length, 1);
  assert.ok(!second[0]!.text.includes('Route:'));
  assert.deepEqual(seen, [`sip:bob@${CELL}`, `sip:bob@${DESK}`]);
});

for (const [what, code] of [
  ['uri', 'ERR_URI_SYNTAX'],
  ['dst_uri', 'ERR_URI_SYNTAX'],
  ['path', 'ERR_TM_VALUE'],
  ['line', 'ERR_TM_VALUE'],
  ['q', 'ERR_TM_VALUE'],
  ['send_socket', 'ERR_TM_VALUE'],
  ['count', 'ERR_TM_VALUE'],
  ['index', 'ERR_TM_VALUE'],
  ['attribute', 'ERR_TM_VALUE'],
  ['text', 'ERR_PV_SYNTAX'],
] as const) {
  test(`$branch: a wrong ${what} is refused with ${code}, and changes nothing`, async () => {
    const seen: unknown[] = [];
    const routes = defineRoutes({
      uses: ['tm', 'pv'],
      async request({ ksr, pv }) {
        ksr.tm.append_branch(`sip:bob@${CELL}`);
        try {
          if (what === 'uri' || what === 'dst_uri') pv.$branch(what).set('bob at home');
          if (what === 'path') pv.$branch('path').set('<bob>');
          if (what === 'line') pv.$branch('path').set('<sip:a;lr>,\r\n <sip:b>');
          if (what === 'q') pv.$branch('q').set(2);
          if (what === 'send_socket') pv.$branch('send_socket').set('udp:10.9.9.9:5060');
          if (what === 'count') pv.$branch('count').set(7);
          if (what === 'index') pv.$branch('q', 1).set(0.5);
          if (what === 'attribute') Reflect.apply(pv.$branch, pv, ['flags']).get();
          if (what === 'text') await ksr.pv.get('$branch(flags)');
        } catch (error) {
          seen.push(error instanceof ProxyError ? error.code : error);
        }
        await ksr.tm.t_relay();
      },
    });
    const { sent } = await forking(request(), routes);
    assert.deepEqual(seen, [code]);
    assert.deepEqual(sentTo(sent), [`INVITE ${DESK}`, `INVITE ${CELL}`]);
    assert.ok(sent.every(({ text }) => !text.includes('Route:')));
  });
}

test('$branch(send_socket): a listen address to leave by, by its name', async () => {
  const seen: unknown[] = [];
  const routes = defineRoutes({
    uses: ['tm', 'pv'],
    async request({ ksr, pv }) {
      ksr.tm.append_branch(`sip:bob@${CELL}`);
      pv.$branch('send_socket').set('udp:10.0.0.1:5060');
      seen.push(pv.$branch('send_socket').get());
      await ksr.tm.t_relay();
    },
  });
  const { sent } = await forking(request(), routes);
  assert.deepEqual(seen, ['udp:10.0.0.1:5060']);
  assert.deepEqual(sentTo(sent), [`INVITE ${DESK}`, `INVITE ${CELL}`]);
});
