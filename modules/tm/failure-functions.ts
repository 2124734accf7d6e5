import { type Call, errors } from '../../core/index.ts';
import { branchIndexOf, branchOf, transactionOf } from './in-hand.ts';
import type { Tm } from './tm-layer.ts';
import { replyCode } from './variables.ts';

/** @throws ERR_REGEX_SYNTAX. */
function compiled({ expressions }: Tm, text: string): RegExp {
  const known = expressions.get(text);
  if (known !== undefined) return known;
  try {
    const expression = new RegExp(text);
    expressions.set(text, expression);
    return expression;
  } catch (error) {
    throw errors.ERR_REGEX_SYNTAX('t_check_status', JSON.stringify(text), String(error));
  }
}

function checkStatus(call: Call<Tm>, expression: string | RegExp): boolean {
  const code = replyCode(call);
  const test = typeof expression === 'string' ? compiled(call.state, expression) : expression;
  return code !== null && String(code).search(test) >= 0;
}

type DropMode = 'a' | 'l' | 'n';

function dropReplies({ scope }: Call<Tm>, mode: DropMode): boolean {
  if (mode !== 'a' && mode !== 'l' && mode !== 'n')
    throw errors.ERR_TM_VALUE('t_drop_replies', "mode 'a', 'l' or 'n'", String(mode));
  const transaction = transactionOf(scope);
  if (transaction === null) return false;
  if (mode === 'n') return true;
  const first = mode === 'a' ? 0 : transaction.roundStart;
  for (const branch of transaction.branches) if (branch.index >= first) branch.dropped = true;
  return true;
}

type CancelMode = 'all' | 'others' | 'this';

function cancelBranches({ scope }: Call<Tm>, which: CancelMode): boolean {
  if (which !== 'all' && which !== 'others' && which !== 'this')
    throw errors.ERR_TM_VALUE('t_cancel_branches', "'all', 'others' or 'this'", String(which));
  const inHand = branchIndexOf(scope);
  const transaction = transactionOf(scope);
  if (transaction === null) return false;
  for (const branch of transaction.branches) {
    if (which === 'all' || (branch.index === inHand) === (which === 'this')) branch.cancel();
  }
  return true;
}

/** Functions about what became of the branches, most of them for failure handlers. */
export const failureFunctions = {
  t_check_status: {
    doc: 'Whether a regular expression matches the code in $T_reply_code.',
    signature: '(expression: string | RegExp): boolean',
    on: 'any',
    call: (call: Call<Tm>, expression: string | RegExp): boolean => checkStatus(call, expression),
  },
  t_is_expired: {
    doc: 'Whether the request has waited longer than max_inv_lifetime or max_noninv_lifetime allow.',
    signature: '(): boolean',
    on: 'any',
    call: ({ scope }: Call<Tm>): boolean => (transactionOf(scope)?.remainingMs ?? 1) <= 0,
  },
  t_branch_timeout: {
    doc: 'Whether the branch that was chosen took longer than fr_timer or fr_inv_timer.',
    signature: '(): boolean',
    on: 'request',
    routes: ['failure'],
    call: ({ scope }: Call<Tm>): boolean => branchOf(scope)?.timedOutHere ?? false,
  },
  t_any_timeout: {
    doc: 'Whether any branch of the request took longer than fr_timer or fr_inv_timer.',
    signature: '(): boolean',
    on: 'any',
    call: ({ scope }: Call<Tm>): boolean =>
      transactionOf(scope)?.branches.some(({ timedOutHere }) => timedOutHere) ?? false,
  },
  t_branch_replied: {
    doc: 'Whether the branch that was chosen got a response before the one in hand.',
    signature: '(): boolean',
    on: 'request',
    routes: ['failure'],
    call: ({ scope }: Call<Tm>): boolean => branchOf(scope)?.replied ?? false,
  },
  t_any_replied: {
    doc: 'Whether any branch of the request got a response before the one in hand.',
    signature: '(): boolean',
    on: 'any',
    call: ({ scope }: Call<Tm>): boolean =>
      transactionOf(scope)?.branches.some(
        ({ replied, outcome }) =>
          replied || (outcome !== null && outcome.response !== null && outcome.response !== scope.response),
      ) ?? false,
  },
  t_grep_status: {
    doc: 'Whether any branch of the request has come to this final code, or one stands for its silence (408).',
    signature: '(code: number | string): boolean',
    on: 'any',
    call: ({ scope }: Call<Tm>, code: number | string): boolean =>
      transactionOf(scope)?.branches.some(({ outcome }) => outcome?.status === Number(code)) ?? false,
  },
  t_cancel_branches: {
    doc: "Cancels branches of the request that have no final response: all, the one in hand ('this') or all others.",
    signature: "(which: 'all' | 'others' | 'this'): boolean",
    on: 'reply',
    routes: ['onreply'],
    call: (call: Call<Tm>, which: CancelMode): boolean => cancelBranches(call, which),
  },
  t_drop_replies: {
    doc: "Takes replies out of the choice of the answer: all that came ('a'), those to the last t_relay ('l') or none ('n').",
    signature: "(mode?: 'a' | 'l' | 'n'): boolean",
    on: 'request',
    routes: ['failure'],
    call: (call: Call<Tm>, mode: DropMode = 'a'): boolean => dropReplies(call, mode),
  },
} as const;
