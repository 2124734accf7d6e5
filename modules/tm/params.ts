import { param } from '../../core/index.ts';

/** The parameters of tm, with Kamailio's names and units. */
export const tmParams = {
  fr_timer: param.int({
    default: 32_000,
    min: 500,
    max: 600_000,
    unit: 'ms',
    doc: 'Wait for the first response to an INVITE, and for the final response to other requests (timers B and F).',
  }),
  fr_inv_timer: param.int({
    default: 185_000,
    min: 1_000,
    max: 86_400_000,
    unit: 'ms',
    doc: 'Wait for the final response to an INVITE after a provisional one; each further provisional response starts it anew (timer C).',
  }),
  wt_timer: param.int({
    default: 32_000,
    min: 500,
    max: 600_000,
    unit: 'ms',
    doc: 'How long a transaction that has been answered stays in memory to absorb retransmissions (timers D, H, J, L and M).',
  }),
  retr_timer1: param.int({
    default: 500,
    min: 10,
    max: 10_000,
    unit: 'ms',
    doc: 'First interval between retransmissions; it doubles each time (T1).',
  }),
  retr_timer2: param.int({
    default: 4_000,
    min: 10,
    max: 60_000,
    unit: 'ms',
    doc: 'Longest interval between retransmissions of requests other than INVITE, and of final replies to INVITE (T2).',
  }),
  auto_inv_100: param.bool({
    default: true,
    doc: 'Whether t_relay answers an INVITE with 100 at once; otherwise 100 is sent when nothing else was within 200 ms.',
  }),
  max_inv_lifetime: param.int({
    default: 3_600_000,
    min: 10_000,
    max: 86_400_000,
    unit: 'ms',
    doc: 'How long an INVITE may wait for its answer in all, however often a provisional response starts fr_inv_timer anew; t_is_expired tells.',
  }),
  max_noninv_lifetime: param.int({
    default: 32_000,
    min: 500,
    max: 600_000,
    unit: 'ms',
    doc: 'After how long another request has expired for t_is_expired: its sender does not wait any more.',
  }),
  disable_6xx_block: param.bool({
    default: false,
    doc: 'Whether a 6xx is a failure like others: it ends no other branch, further ones may follow, and it is the last choice for the answer. Otherwise RFC 3261 16.7.',
  }),
  max_dns_failovers: param.int({
    default: 3,
    min: 0,
    max: 15,
    unit: 'count',
    doc: 'How many further servers of a name a branch tries, one after the other, when one cannot be reached, is silent for fr_timer or answers 503 (RFC 3263 4.3); 0: none.',
  }),
  max_transactions: param.int({
    default: 500_000,
    min: 1,
    max: 10_000_000,
    unit: 'count',
    doc: 'Transactions in memory; above it new requests are answered with 503.',
  }),
};
