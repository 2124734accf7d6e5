import { param } from '../../core/index.ts';
import { MAX_LIFETIME_S } from './lifetime.ts';
import { parseServers } from './server-list.ts';

/** Longest `timeout`, ms: a call would have given up by then. */
const MAX_TIMEOUT_MS = 60_000;

/** Largest `journal`: each entry holds a key. */
const MAX_JOURNAL = 1_000_000;

/** Parameters of the module, as kamailio.yaml writes them. */
export const params = {
  servers: param.string({
    default: 'localhost:11211',
    check: (value) => {
      const parsed = parseServers(value);
      return parsed.ok ? null : parsed.reason;
    },
    expected:
      'host:port, [v6]:port or unix:/path, each with an optional ;weight=N, comma separated; or embedded',
    doc: 'One or more servers, comma separated: `host:port`, `[v6]:port`, `unix:/path`, each with an optional `;weight=N`. `embedded` starts a store inside the proxy: nothing to install.',
  }),
  expire: param.int({
    default: 10_800,
    min: 0,
    max: MAX_LIFETIME_S,
    unit: 's',
    doc: 'Default lifetime of a value. 0: never expires. Up to 2592000 (30 days) from now; larger numbers are a Unix time, which must lie in the future.',
  }),
  mode: param.oneOf([0, 1], {
    default: 0,
    doc: '0: a write overwrites. 1: the first value stays, and a later write says `exists`.',
  }),
  timeout: param.int({
    default: 250,
    min: 1,
    max: MAX_TIMEOUT_MS,
    unit: 'ms',
    doc: 'Deadline of one operation, connecting included. Below T1 (500 ms), so that no caller retransmits because of it.',
  }),
  budget: param.int({
    default: 1000,
    min: 0,
    max: MAX_TIMEOUT_MS,
    unit: 'ms',
    doc: 'What all operations of one SIP transaction together may wait; those beyond it fail at once. 0: no bound but `timeout` for each.',
  }),
  journal: param.int({
    default: 10_000,
    min: 0,
    max: MAX_JOURNAL,
    unit: 'count',
    doc: 'Releases (decrements, deletes, releases of leases) that are kept for each server while it does not answer, and sent in order when it does. 0: none.',
  }),
  stringify: param.oneOf([0, 1], {
    default: 0,
    doc: '1: every value read is a string, whatever its flags.',
  }),
} as const;
