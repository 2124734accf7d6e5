import { param } from '../../core/index.ts';
import { groupNameProblem } from './groups.ts';
import { MAX_PREFIX_BYTES, prefixProblem } from './key.ts';
import { MAX_LIFETIME_S } from './lifetime.ts';
import { passwordProblem, userProblem } from './credentials.ts';
import { parseServers, withoutCredentials } from './server-list.ts';
import { certificateProblem, privateKeyProblem } from './tls-access.ts';

/** Longest `timeout`, ms: a call would have given up by then. */
const MAX_TIMEOUT_MS = 60_000;

/** Largest `journal`: each entry holds a key. */
const MAX_JOURNAL = 1_000_000;

/** What is wrong with a list of servers, or null. */
function serversProblem(text: string): string | null {
  const parsed = parseServers(text);
  return parsed.ok ? null : parsed.reason;
}

/** Parameters of the module, as kamailio.yaml writes them. */
export const params = {
  servers: param.string({
    default: 'localhost:11211',
    check: serversProblem,
    redact: withoutCredentials,
    expected:
      'host:port, [v6]:port or unix:/path, each with an optional ;weight=N, comma separated; or embedded',
    doc: 'One or more servers, comma separated: `host:port`, `[v6]:port`, `unix:/path`, each with an optional `;weight=N`. `embedded` starts a store inside the proxy: nothing to install.',
  }),
  groups: param.texts({
    checkName: groupNameProblem,
    check: serversProblem,
    redact: withoutCredentials,
    expected: 'names of groups, each with its servers, written like the parameter servers',
    doc: 'Further groups of servers by name, each written like `servers`: `{ limits: "10.0.0.5:11211" }`. Keys name theirs; see Groups.',
  }),
  limits_group: param.string({
    default: '',
    doc: 'Group that keeps what the functions for limits count, and `remember` with them. Empty: the servers of `servers`.',
  }),
  prefix: param.string({
    default: '',
    check: prefixProblem,
    expected: `text of at most ${MAX_PREFIX_BYTES} bytes without spaces and control characters`,
    doc: 'Stands before every key that is sent, those of limits included, so that deployments can share servers: `"prod:"`. A Kamailio that shares keys needs it empty.',
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
  slow_log: param.int({
    default: 0,
    min: 0,
    max: MAX_TIMEOUT_MS,
    unit: 'ms',
    doc: 'Operations that take so long or longer are logged as warnings, at most 5 a second. 0: none.',
  }),
  stringify: param.oneOf([0, 1], {
    default: 0,
    doc: '1: every value read is a string, whatever its flags.',
  }),
  tls: param.bool({
    default: false,
    doc: 'Whether servers are reached over TLS, 1.2 or later. `;tls=on` or `;tls=off` after a server says otherwise for it. Unix sockets have none.',
  }),
  tls_ca_list: param.file({
    check: certificateProblem,
    doc: 'File with the certificates of those who are trusted, PEM; relative to kamailio.yaml. Empty: those that Node.js trusts.',
  }),
  tls_certificate: param.file({
    check: certificateProblem,
    doc: "File with the proxy's own certificate and its chain, PEM, for servers that ask for one.",
  }),
  tls_private_key: param.file({
    check: privateKeyProblem,
    doc: 'File with the private key of `tls_certificate`, PEM.',
  }),
  tls_server_name: param.string({
    default: '',
    doc: 'Name that the certificates of servers must have. Empty: of each its own host. `;tls_name=NAME` after a server says otherwise for it.',
  }),
  tls_verify: param.bool({
    default: true,
    doc: 'Whether servers must prove who they are. Without, whoever is on the way can take their place.',
  }),
  user: param.string({
    default: '',
    check: (text) => (text === '' ? null : userProblem(text)),
    expected: 'a user name',
    doc: 'User of a memcached that asks for a password (`memcached -Y`). Empty: none.',
  }),
  password: param.secret({
    check: passwordProblem,
    expected: 'text without spaces and control characters',
    doc: 'Its password. Better not written here: `"${NAME}"` takes it from the environment, `"${file:/run/secrets/NAME}"` from a file.',
  }),
} as const;
