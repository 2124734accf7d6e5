import { type Call, errors } from '../../core/index.ts';
import { branchVariables } from './branch-variables.ts';
import { branchIndexOf, branchOf, transactionOf } from './in-hand.ts';
import type { Tm } from './tm-layer.ts';

/** Status of the response in hand, else of the last reply sent; null when there is none. */
export function replyCode({ scope }: Call<Tm>): number | null {
  if (scope.response !== null) return scope.response.status;
  const transaction = transactionOf(scope);
  if (transaction === null) return null;
  if (scope.route !== 'failure') return transaction.lastStatus === 0 ? null : transaction.lastStatus;
  return branchOf(scope)?.outcome?.status ?? 487; // cancelled before it had a branch
}

/** The pseudo-variables of tm. */
export const variables = {
  ...branchVariables,
  $T_branch_idx: {
    doc: 'Position of the branch that a branch, onreply or failure handler runs for, from 0; null elsewhere.',
    plain: true,
    get: ({ scope }: Call<Tm>): number | null => branchIndexOf(scope),
  },
  $T_reply_code: {
    doc: 'In onreply handlers the code of the response in hand, in failure handlers the one that was chosen (408 for silence), in others the last one sent for the request; null when there is none.',
    plain: true,
    get: (call: Call<Tm>): number | null => replyCode(call),
  },
  $ru_q: {
    doc: 'Preference of the Request-URI among the destinations, 0 to 1, for t_load_contacts; null: none, which comes last. Can be set.',
    plain: true,
    get: ({ scope }: Call<Tm>): number | null => transactionOf(scope)?.targets.destinations.q ?? null,
    set({ scope }: Call<Tm>, value: number | null): void {
      if (value !== null && !(value >= 0 && value <= 1))
        throw errors.ERR_TM_VALUE('$ru_q', 'a number from 0 to 1', value);
      const transaction = transactionOf(scope);
      if (transaction !== null) transaction.targets.destinations.q = value;
    },
  },
} as const;
