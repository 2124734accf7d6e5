import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  inviteClient,
  inviteServer,
  type Machine,
  nonInviteClient,
  nonInviteServer,
  responseInput,
} from '../../../modules/tm/machines.ts';

type AnyMachine = Machine<string, string>;

const CLIENT_INPUTS = ['provisional', 'success', 'failure', 'retry', 'deadline', 'transport error'];
const SERVER_INPUTS = [...CLIENT_INPUTS, 'request', 'ack', 'silence'];

/** What each cell must be, written apart from the tables: `state + input -> next: effects`; `-` stays, `!` cannot come about. */
const expected: Record<string, { machine: AnyMachine; inputs: string[]; cells: Record<string, string> }> = {
  'INVITE client (figure 5, RFC 6026)': {
    machine: inviteClient,
    inputs: CLIENT_INPUTS,
    cells: {
      'calling provisional': 'proceeding: stop retry, stop deadline, to user',
      'calling success': 'accepted: stop retry, M, to user',
      'calling failure': 'completed: stop retry, D, ack, to user',
      'calling retry': 'calling: resend, A',
      'calling deadline': 'terminated: timed out',
      'calling transport error': 'terminated: transport failed',
      'proceeding provisional': 'proceeding: to user',
      'proceeding success': 'accepted: M, to user',
      'proceeding failure': 'completed: D, ack, to user',
      'proceeding retry': '!',
      'proceeding deadline': '!',
      'proceeding transport error': '-',
      'accepted provisional': '-',
      'accepted success': 'accepted: to user',
      'accepted failure': '-',
      'accepted retry': '!',
      'accepted deadline': 'terminated: ',
      'accepted transport error': '-',
      'completed provisional': '-',
      'completed success': '-',
      'completed failure': 'completed: ack',
      'completed retry': '!',
      'completed deadline': 'terminated: ',
      'completed transport error': '-',
      'terminated provisional': '-',
      'terminated success': '-',
      'terminated failure': '-',
      'terminated retry': '!',
      'terminated deadline': '!',
      'terminated transport error': '-',
    },
  },
  'non-INVITE client (figure 6)': {
    machine: nonInviteClient,
    inputs: CLIENT_INPUTS,
    cells: {
      'trying provisional': 'proceeding: to user',
      'trying success': 'completed: stop retry, K, to user',
      'trying failure': 'completed: stop retry, K, to user',
      'trying retry': 'trying: resend, E',
      'trying deadline': 'terminated: timed out',
      'trying transport error': 'terminated: transport failed',
      'proceeding provisional': 'proceeding: to user',
      'proceeding success': 'completed: stop retry, K, to user',
      'proceeding failure': 'completed: stop retry, K, to user',
      'proceeding retry': 'proceeding: resend, E',
      'proceeding deadline': 'terminated: timed out',
      'proceeding transport error': 'terminated: transport failed',
      'completed provisional': '-',
      'completed success': '-',
      'completed failure': '-',
      'completed retry': '!',
      'completed deadline': 'terminated: ',
      'completed transport error': '-',
      'terminated provisional': '-',
      'terminated success': '-',
      'terminated failure': '-',
      'terminated retry': '!',
      'terminated deadline': '!',
      'terminated transport error': '-',
    },
  },
  'INVITE server (figure 7, RFC 6026)': {
    machine: inviteServer,
    inputs: SERVER_INPUTS,
    cells: {
      'proceeding provisional': 'proceeding: send',
      'proceeding success': 'accepted: send, L',
      'proceeding failure': 'completed: send, G, H',
      'proceeding request': 'proceeding: resend',
      'proceeding ack': '-',
      'proceeding retry': '!',
      'proceeding deadline': '!',
      'proceeding transport error': 'proceeding: transport failed',
      'proceeding silence': 'terminated: ',
      'accepted provisional': '-',
      'accepted success': 'accepted: send',
      'accepted failure': '-',
      'accepted request': '-',
      'accepted ack': 'accepted: to user',
      'accepted retry': '!',
      'accepted deadline': 'terminated: ',
      'accepted transport error': 'accepted: transport failed',
      'accepted silence': '-',
      'completed provisional': '-',
      'completed success': '-',
      'completed failure': '-',
      'completed request': 'completed: resend',
      'completed ack': 'confirmed: stop retry, I',
      'completed retry': 'completed: resend, G',
      'completed deadline': 'terminated: timed out',
      'completed transport error': 'completed: transport failed',
      'completed silence': '-',
      'confirmed provisional': '-',
      'confirmed success': '-',
      'confirmed failure': '-',
      'confirmed request': '-',
      'confirmed ack': '-',
      'confirmed retry': '!',
      'confirmed deadline': 'terminated: ',
      'confirmed transport error': '-',
      'confirmed silence': '-',
      'terminated provisional': '-',
      'terminated success': '-',
      'terminated failure': '-',
      'terminated request': '-',
      'terminated ack': '-',
      'terminated retry': '!',
      'terminated deadline': '!',
      'terminated transport error': '-',
      'terminated silence': '-',
    },
  },
  'non-INVITE server (figure 8, RFC 4320)': {
    machine: nonInviteServer,
    inputs: SERVER_INPUTS,
    cells: {
      'trying provisional': 'proceeding: send',
      'trying success': 'completed: send, J',
      'trying failure': 'completed: send, J',
      'trying request': '-',
      'trying ack': '-',
      'trying retry': '!',
      'trying deadline': '!',
      'trying transport error': '!',
      'trying silence': 'completed: J',
      'proceeding provisional': 'proceeding: send',
      'proceeding success': 'completed: send, J',
      'proceeding failure': 'completed: send, J',
      'proceeding request': 'proceeding: resend',
      'proceeding ack': '-',
      'proceeding retry': '!',
      'proceeding deadline': '!',
      'proceeding transport error': 'proceeding: transport failed',
      'proceeding silence': 'completed: J',
      'completed provisional': '-',
      'completed success': '-',
      'completed failure': '-',
      'completed request': 'completed: resend',
      'completed ack': '-',
      'completed retry': '!',
      'completed deadline': 'terminated: ',
      'completed transport error': 'completed: transport failed',
      'completed silence': '-',
      'terminated provisional': '-',
      'terminated success': '-',
      'terminated failure': '-',
      'terminated request': '-',
      'terminated ack': '-',
      'terminated retry': '!',
      'terminated deadline': '!',
      'terminated transport error': '-',
      'terminated silence': '-',
    },
  },
};

function shown(cell: AnyMachine[string][string]): string {
  if (cell === null) return '-';
  if (cell === undefined) return '!';
  return `${cell.to}: ${cell.effects.join(', ')}`;
}

for (const [name, { machine, inputs, cells }] of Object.entries(expected)) {
  describe(name, () => {
    for (const [cell, want] of Object.entries(cells)) {
      const [state = '', ...input] = cell.split(' ');
      test(`${cell} -> ${want}`, () => {
        assert.equal(shown(machine[state]?.[input.join(' ')]), want);
      });
    }

    test('has no cell beyond these', () => {
      const all = Object.keys(machine).flatMap((state) => inputs.map((input) => `${state} ${input}`));
      assert.deepEqual(all.toSorted(), Object.keys(cells).toSorted());
      for (const row of Object.values(machine))
        assert.deepEqual(Object.keys(row).toSorted(), inputs.toSorted());
    });
  });
}

test('responseInput: a status code is provisional below 200, success below 300, failure above', () => {
  const inputs = [100, 180, 199, 200, 202, 299, 300, 404, 503, 699].map((status) => responseInput(status));
  assert.deepEqual(inputs, [
    ...Array<string>(3).fill('provisional'),
    ...Array<string>(3).fill('success'),
    ...Array<string>(4).fill('failure'),
  ]);
});
