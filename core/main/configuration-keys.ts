import { z } from 'zod';
import { LOG_FORMATS } from '../log-line.ts';
import { LOG_LEVELS } from '../log.ts';
import type { AnyModule } from '../registry/module.ts';
import { param, type ParamSchema } from '../registry/params.ts';
import { type JsonSchema, modulesSchema } from '../registry/schema.ts';
import { DNS_KEYS } from './dns-keys.ts';
import { SERVER_NAME_KEYS, SERVER_NAMES_DOC, TCP_KEYS, TLS_KEYS } from './stream-keys.ts';

/** Keys of kamailio.yaml's `log`. */
export const LOG_KEYS = {
  level: param.oneOf(LOG_LEVELS, { default: 'info', doc: 'Lowest level that is logged.' }),
  format: param.oneOf(LOG_FORMATS, {
    default: 'pretty',
    doc: 'Text for people, or JSON lines for programs.',
  }),
  file: param.string({
    default: '',
    doc: 'File that gets every line too, besides standard error; SIGHUP opens it anew. Empty: none.',
  }),
} satisfies ParamSchema;

/** Longest of the times below, ms: an hour. What is longer is a slip of the pen, and from 2^31 on Node.js takes it for 1 ms. */
const MAX_TIMEOUT_MS = 3_600_000;

/** Keys of kamailio.yaml's `limits`. */
export const LIMIT_KEYS = {
  handlers: param.int({
    default: 10_000,
    min: 1,
    max: 1_000_000,
    unit: 'count',
    doc: 'Request handlers at work at one time; above it new requests get 503.',
  }),
  handler_timeout: param.int({
    default: 10_000,
    min: 1,
    max: MAX_TIMEOUT_MS,
    unit: 'ms',
    doc: 'Longest run of one handler.',
  }),
  start_timeout: param.int({
    default: 10_000,
    min: 1,
    max: MAX_TIMEOUT_MS,
    unit: 'ms',
    doc: 'Longest start of one module, and longest run of the routes file while it loads.',
  }),
  shutdown_timeout: param.int({
    default: 5000,
    min: 0,
    max: MAX_TIMEOUT_MS,
    unit: 'ms',
    doc: 'How long a proxy that stops lets calls being set up finish.',
  }),
  max_lane: param.int({
    default: 64,
    min: 1,
    max: 10_000,
    unit: 'count',
    doc: 'Requests of one dialog and direction that wait for the one before; above it they get 503.',
  }),
  max_wait: param.int({
    default: 50,
    min: 0,
    max: 10_000,
    unit: 'ms',
    doc: 'How long messages may wait to be read, and four times as long for a moment where no more arrives than was served well before; above it requests that begin something new are taken at the rate that the proxy can serve, the others get 503. 0: all are taken.',
  }),
} satisfies ParamSchema;

/** Keys of kamailio.yaml's `udp`. */
export const UDP_KEYS = {
  native: param.bool({
    default: false,
    doc: 'Sockets of the native addon, which takes less CPU than node:dgram; `npm run build:native` builds it. Linux.',
  }),
} satisfies ParamSchema;

/** Keys of kamailio.yaml's `warm_up`. */
export const WARM_UP_KEYS = {
  calls: param.int({
    default: 0,
    min: 0,
    max: 100_000,
    unit: 'count',
    doc: 'Calls that the proxy plays to itself on loopback before it listens, for 10 s at most; 0: none. 2000 take less than a second and have most of the code compiled.',
  }),
} satisfies ParamSchema;

/** Keys of kamailio.yaml itself, with what each is for. */
export const TOP_KEYS = {
  listen: 'Addresses to listen on, protocol:host:port; port 0 takes a free one.',
  alias: 'Names that mean this proxy, besides the listen addresses: host or host:port.',
  log: 'What is logged, and how.',
  limits: 'Bounds of the proxy.',
  warm_up:
    'What the proxy does before it listens, so that it is as fast for the first calls as for later ones.',
  udp: 'How datagrams are read and sent.',
  tcp: 'Bounds of connections, over TLS and WebSocket too.',
  tls: 'Certificates, and whom TLS trusts.',
  dns: 'How the servers of a domain are found.',
  metrics: 'Address at which Prometheus finds the figures of the proxy, host:port; left out: none.',
  routes: 'The routes file, TypeScript or JavaScript; relative to this file.',
  mpath: 'Further places to look for modules: folders, relative to this file, or npm packages.',
  modules: 'Modules to load, each with its parameters; dependencies decide the order.',
} as const;

/** Keys of a listen address that advertises another. */
export const LISTEN_KEYS = {
  address: 'Address to listen on, protocol:host:port.',
  advertise: 'What others are told to use instead, host:port.',
} as const;

/**
 * Builds the JSON schema of kamailio.yaml from the declarations, so that editors complete and check it.
 * `modules` are those whose parameters it knows.
 */
export function configurationSchema(modules: readonly AnyModule[]): JsonSchema {
  const address = { type: 'string', examples: ['udp:0.0.0.0:5060', 'tls:[::]:5061'] };
  const listen = object({
    address: { ...address, description: LISTEN_KEYS.address },
    advertise: { type: 'string', description: LISTEN_KEYS.advertise },
  });
  const properties = {
    ...described('listen', {
      type: 'array',
      minItems: 1,
      items: { anyOf: [address, { ...listen, required: ['address'] }] },
    }),
    ...described('alias', { type: 'array', items: { type: 'string' } }),
    ...described('log', section(LOG_KEYS)),
    ...described('limits', section(LIMIT_KEYS)),
    ...described('warm_up', section(WARM_UP_KEYS)),
    ...described('udp', section(UDP_KEYS)),
    ...described('tcp', section(TCP_KEYS)),
    ...described('tls', tlsSchema()),
    ...described('dns', section(DNS_KEYS)),
    ...described('metrics', { type: 'string', examples: ['127.0.0.1:9090', '[::1]:9090'] }),
    ...described('routes', { type: 'string' }),
    ...described('mpath', { type: 'array', items: { type: 'string' } }),
    ...described('modules', modulesSchema(modules)),
  };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'kamailio.yaml of kamaiki',
    ...object(properties),
    required: ['listen', 'routes'],
  };
}

function tlsSchema(): JsonSchema {
  const names = {
    type: 'object',
    additionalProperties: section(SERVER_NAME_KEYS),
    description: SERVER_NAMES_DOC,
  };
  return object({ ...propertiesOf(TLS_KEYS), server_names: names });
}

function described(key: keyof typeof TOP_KEYS, schema: JsonSchema): JsonSchema {
  return { [key]: { ...schema, description: TOP_KEYS[key] } };
}

function object(properties: JsonSchema): JsonSchema {
  return { type: 'object', additionalProperties: false, properties };
}

function section(keys: ParamSchema): JsonSchema {
  return object(propertiesOf(keys));
}

function propertiesOf(keys: ParamSchema): JsonSchema {
  const properties = Object.entries(keys).map(([name, { schema, doc, default: initial, unit }]) => {
    const { $schema: _, ...type } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    const description = unit === '' || unit === 'count' ? doc : `${doc.slice(0, -1)}, ${unit}.`;
    return [name, { ...type, description, default: initial }];
  });
  return Object.fromEntries(properties);
}
