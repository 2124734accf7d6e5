import { type Call, errors } from '../../core/index.ts';
import { transactionOf } from './in-hand.ts';
import type { Policy } from './policy.ts';
import type { Timing } from './timing.ts';
import type { Tm } from './tm-layer.ts';

/** The longest time that a function takes, ms: as for fr_inv_timer. */
const MAX_TIME_MS = 86_400_000;

/** Where times of a request may be set. */
const ROUTES = ['request', 'branch', 'failure', 'onreply'] as const;

/** Sets times for the request in hand; those of 0 stay as they are. False: it has no transaction. @throws ERR_TM_VALUE. */
function setTimes({ scope }: Call<Tm>, caller: string, times: Partial<Timing>): boolean {
  const wanted = Object.entries(times).filter(([, ms]) => ms !== 0);
  for (const [, ms] of wanted) {
    if (!(Number.isInteger(ms) && ms > 0 && ms <= MAX_TIME_MS))
      throw errors.ERR_TM_VALUE(caller, `ms from 0 to ${MAX_TIME_MS}`, ms);
  }
  const transaction = transactionOf(scope);
  if (transaction === null) return false;
  transaction.timing = { ...transaction.timing, ...Object.fromEntries(wanted) };
  for (const branch of transaction.branches) branch.restartTimers();
  return true;
}

function setPolicy({ scope }: Call<Tm>, change: Partial<Policy>): boolean {
  const transaction = transactionOf(scope);
  if (transaction === null) return false;
  transaction.policy = { ...transaction.policy, ...change };
  return true;
}

/** Kamailio's names of what t_on_branch, t_on_failure and t_on_reply arm. */
const ARMED = { branch_route: 'onBranch', failure_route: 'onFailure', onreply_route: 'onReply' } as const;

type Armed = keyof typeof ARMED;

function isArmed(target: string): target is Armed {
  return Object.hasOwn(ARMED, target);
}

function isSet({ scope }: Call<Tm>, target: string): boolean {
  if (!isArmed(target))
    throw errors.ERR_TM_VALUE('t_is_set', `one of ${Object.keys(ARMED).join(', ')}`, target);
  const transaction = transactionOf(scope);
  return transaction !== null && transaction[ARMED[target]] !== null;
}

/** Functions that say for one request what the parameters say for all. */
export const settingFunctions = {
  t_set_fr: {
    doc: 'Sets fr_inv_timer and fr_timer for this request alone, ms; 0 leaves one as it is. Those that run begin anew.',
    signature: '(finalMs: number, responseMs?: number): boolean',
    on: 'any',
    routes: ROUTES,
    call: (call: Call<Tm>, finalMs: number, responseMs = 0): boolean =>
      setTimes(call, 't_set_fr', { finalMs, responseMs }),
  },
  t_reset_fr: {
    doc: 'Sets both times back to the parameters.',
    signature: '(): boolean',
    on: 'any',
    routes: ROUTES,
    call(call: Call<Tm>): boolean {
      const { finalMs, responseMs } = call.state.timing;
      return setTimes(call, 't_reset_fr', { finalMs, responseMs });
    },
  },
  t_set_max_lifetime: {
    doc: 'Sets max_inv_lifetime and max_noninv_lifetime for this request alone, ms from its arrival; 0 leaves one as it is. An fr_inv_timer that runs begins anew.',
    signature: '(inviteMs: number, otherMs: number): boolean',
    on: 'any',
    routes: ROUTES,
    call: (call: Call<Tm>, inviteLifetimeMs: number, otherLifetimeMs: number): boolean =>
      setTimes(call, 't_set_max_lifetime', { inviteLifetimeMs, otherLifetimeMs }),
  },
  t_reset_max_lifetime: {
    doc: 'Sets both lifetimes back to the parameters.',
    signature: '(): boolean',
    on: 'any',
    routes: ROUTES,
    call(call: Call<Tm>): boolean {
      const { inviteLifetimeMs, otherLifetimeMs } = call.state.timing;
      return setTimes(call, 't_reset_max_lifetime', { inviteLifetimeMs, otherLifetimeMs });
    },
  },
  t_set_retr: {
    doc: 'Sets retr_timer1 and retr_timer2 for this request alone, ms; 0 leaves one as it is. Counts from the next retransmission of a branch on.',
    signature: '(t1Ms: number, t2Ms: number): boolean',
    on: 'any',
    routes: ROUTES,
    call: (call: Call<Tm>, t1Ms: number, t2Ms: number): boolean =>
      setTimes(call, 't_set_retr', { t1Ms, t2Ms }),
  },
  t_reset_retr: {
    doc: 'Sets both intervals back to the parameters.',
    signature: '(): boolean',
    on: 'any',
    routes: ROUTES,
    call(call: Call<Tm>): boolean {
      const { t1Ms, t2Ms } = call.state.timing;
      return setTimes(call, 't_reset_retr', { t1Ms, t2Ms });
    },
  },
  t_set_auto_inv_100: {
    doc: 'Whether t_relay answers this INVITE with 100 at once (auto_inv_100).',
    signature: '(on: boolean): boolean',
    on: 'request',
    routes: ['request'],
    call: (call: Call<Tm>, on: boolean): boolean => setPolicy(call, { trying: on }),
  },
  t_set_disable_6xx: {
    doc: 'Whether a 6xx to this request is a failure like others (disable_6xx_block).',
    signature: '(disabled: boolean): boolean',
    on: 'any',
    routes: ROUTES,
    call: (call: Call<Tm>, disabled: boolean): boolean => setPolicy(call, { endsBy6xx: !disabled }),
  },
  t_set_disable_failover: {
    doc: 'Whether this request goes to one server of a name only, whatever becomes of it (max_dns_failovers); for branches made from here on.',
    signature: '(disabled: boolean): boolean',
    on: 'any',
    routes: ROUTES,
    call: (call: Call<Tm>, disabled: boolean): boolean =>
      setPolicy(call, { maxFailovers: disabled ? 0 : call.state.policy.maxFailovers }),
  },
  t_is_set: {
    doc: 'Whether a branch, failure or onreply handler is armed for this request.',
    signature: "(target: 'branch_route' | 'failure_route' | 'onreply_route'): boolean",
    on: 'any',
    call: (call: Call<Tm>, target: Armed): boolean => isSet(call, target),
  },
} as const;
