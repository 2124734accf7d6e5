import { type Call, errors } from '../../core/index.ts';
import { branchOf, transactionOf } from './in-hand.ts';
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

function setTimeouts(
  { scope, state }: Call<Tm>,
  { finalMs, responseMs }: { readonly finalMs: number; readonly responseMs: number },
): boolean {
  for (const ms of [finalMs, responseMs]) {
    if (!(Number.isInteger(ms) && ms >= 0 && ms <= MAX_TIMEOUT_MS))
      throw errors.ERR_TM_VALUE('t_set_fr', `ms from 0 to ${MAX_TIMEOUT_MS}`, ms);
  }
  const transaction = transactionOf(scope);
  if (transaction === null) return false;
  transaction.timing = {
    ...state.timing,
    finalMs: finalMs === 0 ? transaction.timing.finalMs : finalMs,
    responseMs: responseMs === 0 ? transaction.timing.responseMs : responseMs,
  };
  for (const branch of transaction.branches) branch.restartTimers();
  return true;
}

/** The longest time that t_set_fr takes, ms: as for fr_inv_timer. */
const MAX_TIMEOUT_MS = 86_400_000;

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
  t_set_fr: {
    doc: 'Sets fr_inv_timer and fr_timer for this request alone, ms; 0 leaves one as it is. Those that run begin anew.',
    signature: '(finalMs: number, responseMs?: number): boolean',
    on: 'any',
    routes: ['request', 'branch', 'failure', 'onreply'],
    call: (call: Call<Tm>, finalMs: number, responseMs = 0): boolean =>
      setTimeouts(call, { finalMs, responseMs }),
  },
  t_reset_fr: {
    doc: 'Sets both times back to the parameters.',
    signature: '(): boolean',
    on: 'any',
    routes: ['request', 'branch', 'failure', 'onreply'],
    call: (call: Call<Tm>): boolean => setTimeouts(call, call.state.timing),
  },
  t_drop_replies: {
    doc: "Takes replies out of the choice of the answer: all that came ('a'), those to the last t_relay ('l') or none ('n').",
    signature: "(mode?: 'a' | 'l' | 'n'): boolean",
    on: 'request',
    routes: ['failure'],
    call: (call: Call<Tm>, mode: DropMode = 'a'): boolean => dropReplies(call, mode),
  },
} as const;
