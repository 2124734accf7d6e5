import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { DESK, forking } from './forks.ts';
import { header, request } from './messages.ts';

/** Hides the caller: its From stands behind Max-Forwards, where forwarding puts Max-Breadth. */
const anonymous = defineRoutes({
  uses: ['tm', 'textops'],
  async request({ msg, ksr }) {
    if (msg.method === 'INVITE')
      await ksr.textops.subst('/^From:.*(;tag=.*)$/From: <sip:anonymous@anonymous.invalid>\\1/');
    await ksr.tm.t_relay();
  },
});

const ANONYMOUS = '<sip:anonymous@anonymous.invalid>;tag=alice';

test('a header that subst has changed and the one that is put in front of it are two lines', async () => {
  const { requests } = await forking(request(), anonymous);
  const invite = requests.get(DESK) ?? '';
  assert.equal(header(invite, 'From'), ANONYMOUS);
  assert.equal(header(invite, 'Max-Breadth'), '60');
  assert.ok(invite.indexOf('\r\n\r\n') > invite.indexOf('Content-Length'));
});
