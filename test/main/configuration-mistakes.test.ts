import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '../../core/main/configuration.ts';

const MINIMAL = 'listen: ["udp:127.0.0.1:5060"]\nroutes: r.ts\n';

function mistakes(text: string): readonly string[] {
  return parseConfiguration(text, { file: 'k.yaml', environment: {} }).mistakes.map(
    ({ code, message }) => `${code} ${message}`,
  );
}

const ADDRESS = 'an address such as "udp:192.0.2.1:5060" or "tls:[2001:db8::1]:5061"';
const HOST_PORT = 'host:port, such as "203.0.113.5:5060"';

/** Parameters of which each holds ten times as much as the one before. */
const MULTIPLYING = Array.from(
  { length: 10 },
  (_, i) => `  p${i}: &p${i} [${(i === 0 ? '0,' : `*p${i - 1},`).repeat(10)}]\n`,
).join('');

/** Each: what stands in the file, what is reported. `+` puts the minimal file in front. */
const table: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'an empty file',
    '',
    [
      "ERR_CONFIG_MISSING k.yaml:1:1: key 'listen' is missing: expected a list of listen addresses",
      "ERR_CONFIG_MISSING k.yaml:1:1: key 'routes' is missing: expected the path of the routes file",
    ],
  ],
  [
    'a file that is no mapping',
    '- a\n',
    [
      'ERR_CONFIG_VALUE k.yaml:1:1: the file: found a list, expected a mapping with listen, alias, log, limits, warm_up, udp, tcp, tls, dns, metrics, routes, mpath, modules',
    ],
  ],
  [
    'broken YAML',
    'listen: [\nroutes: {a: b\n',
    [
      'ERR_CONFIG_SYNTAX k.yaml:2:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
      'ERR_CONFIG_SYNTAX k.yaml:3:1: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
    ],
  ],
  [
    'a second document',
    '+---\na: 1\n',
    ['ERR_CONFIG_SYNTAX k.yaml:3:1: not valid YAML: expected one document, found a second one after ---'],
  ],
  [
    'a reference without quotes within { }',
    '+modules: { a: { b: ${B} } }\n',
    [
      'ERR_CONFIG_SYNTAX k.yaml:3:21: not valid YAML: Unexpected flow-map-start at node end; within { } and [ ] put quotes around a ${NAME}',
      'ERR_CONFIG_SYNTAX k.yaml:3:22: not valid YAML: Unexpected scalar at node end',
      'ERR_CONFIG_SYNTAX k.yaml:3:27: not valid YAML: Unexpected flow-map-end token in YAML stream: "}"',
    ],
  ],
  [
    'an unknown key, and the nearest valid one',
    '+lisen: []\nxyzzy: 1\n',
    [
      "ERR_CONFIG_KEY k.yaml:3:1: unknown key 'lisen' in the file; did you mean 'listen'?",
      "ERR_CONFIG_KEY k.yaml:4:1: unknown key 'xyzzy' in the file",
    ],
  ],
  [
    'an unknown key of a section',
    '+log: { levle: info }\nlimits:\n  handler: 1\n',
    [
      "ERR_CONFIG_KEY k.yaml:3:8: unknown key 'levle' in log; did you mean 'level'?",
      "ERR_CONFIG_KEY k.yaml:5:3: unknown key 'handler' in limits; did you mean 'handlers'?",
    ],
  ],
  [
    'a key that stands twice',
    '+routes: b.ts\nmodules:\n  tm: {}\n  tm: {}\n',
    [
      "ERR_CONFIG_DUPLICATE k.yaml:3:1: key 'routes' stands twice, first in line 2",
      "ERR_CONFIG_DUPLICATE k.yaml:6:3: key 'tm' stands twice, first in line 5",
    ],
  ],
  [
    'wrong values of a section',
    '+log: { level: loud, format: 1, file: [a] }\nlimits: { handlers: 0, handler_timeout: 1.5, max_lane: .inf, start_timeout: 3600001 }\n',
    [
      'ERR_CONFIG_VALUE k.yaml:3:15: log.level: found "loud", expected one of debug, info, notice, warn, error',
      'ERR_CONFIG_VALUE k.yaml:3:29: log.format: found 1, expected one of pretty, json',
      'ERR_CONFIG_VALUE k.yaml:3:38: log.file: found a list, expected a string',
      'ERR_CONFIG_VALUE k.yaml:4:21: limits.handlers: found 0, expected an integer from 1 to 1000000',
      'ERR_CONFIG_VALUE k.yaml:4:41: limits.handler_timeout: found 1.5, expected an integer from 1 to 3600000 (ms)',
      'ERR_CONFIG_VALUE k.yaml:4:56: limits.max_lane: found Infinity, expected an integer from 1 to 10000',
      'ERR_CONFIG_VALUE k.yaml:4:77: limits.start_timeout: found 3600001, expected an integer from 1 to 3600000 (ms)',
    ],
  ],
  [
    'a section that is no mapping',
    '+log: debug\n',
    ['ERR_CONFIG_VALUE k.yaml:3:6: log: found "debug", expected a mapping with level, format, file'],
  ],
  [
    'listen addresses that are none',
    `routes: r.ts
listen:
  - 5060
  - "10.0.0.1:5060"
  - udp:10.0.0.1:65536
  - udp:::1:5060
  - udp:10.0.0.300:5060
  - sctp:10.0.0.1:5060
  - "udp:"
  - { address: "udp:10.0.0.1:5060", advertise: example.com }
  - { adress: "udp:10.0.0.1:5060" }
`,
    [
      `ERR_CONFIG_VALUE k.yaml:3:5: listen: found 5060, expected ${ADDRESS}`,
      `ERR_CONFIG_VALUE k.yaml:4:5: listen: found "10.0.0.1:5060", expected ${ADDRESS}`,
      `ERR_CONFIG_VALUE k.yaml:5:5: listen: found "udp:10.0.0.1:65536", expected ${ADDRESS}`,
      `ERR_CONFIG_VALUE k.yaml:6:5: listen: found "udp:::1:5060", expected ${ADDRESS}`,
      `ERR_CONFIG_VALUE k.yaml:7:5: listen: found "udp:10.0.0.300:5060", expected ${ADDRESS}`,
      `ERR_CONFIG_VALUE k.yaml:8:5: listen: found "sctp:10.0.0.1:5060", expected ${ADDRESS}; unknown protocol "sctp"`,
      `ERR_CONFIG_VALUE k.yaml:9:5: listen: found "udp:", expected ${ADDRESS}`,
      `ERR_CONFIG_VALUE k.yaml:10:48: advertise: found "example.com", expected ${HOST_PORT}`,
      `ERR_CONFIG_MISSING k.yaml:11:5: key 'address' is missing: expected ${ADDRESS}`,
      "ERR_CONFIG_KEY k.yaml:11:7: unknown key 'adress' in listen; did you mean 'address'?",
    ],
  ],
  [
    'an address that takes a certificate, without one',
    'routes: r.ts\nlisten: ["tcp:0.0.0.0:5060", "WSS:0.0.0.0:443"]\n',
    [
      "ERR_TLS_MISSING k.yaml:2:9: to listen on wss:0.0.0.0:443 takes a certificate: expected the key 'tls' with certificate and private_key",
    ],
  ],
  [
    'a listen address that stands twice, but not two free ports',
    'routes: r.ts\nlisten: ["udp:[::1]:0", "udp:[::1]:0", "udp:a:1",\n "udp:a:1"]\n',
    ["ERR_CONFIG_DUPLICATE k.yaml:3:2: listen address 'udp:a:1' stands twice, first in line 2"],
  ],
  [
    'an empty list of listen addresses',
    'routes: r.ts\nlisten: []\n',
    ['ERR_CONFIG_VALUE k.yaml:2:9: listen: found a list, expected at least one listen address'],
  ],
  [
    'wrong kinds of value',
    'listen: udp:a:1\nroutes: 5\nalias: x\nmpath: { a: 1 }\nmodules: [sl, tm]\n',
    [
      'ERR_CONFIG_VALUE k.yaml:1:9: listen: found "udp:a:1", expected a list of listen addresses',
      'ERR_CONFIG_VALUE k.yaml:2:9: routes: found 5, expected the path of the routes file',
      'ERR_CONFIG_VALUE k.yaml:3:8: alias: found "x", expected a list of names',
      'ERR_CONFIG_VALUE k.yaml:4:8: mpath: found a mapping, expected a list of folders and npm packages',
      'ERR_CONFIG_VALUE k.yaml:5:10: modules: found a list, expected a mapping of module names to their parameters, such as "sl: {}"',
    ],
  ],
  [
    'wrong items of alias, mpath and modules',
    '+alias: ["a b", 1, "a:99999"]\nmpath: [null]\nmodules: { tm: 5 }\n',
    [
      'ERR_CONFIG_VALUE k.yaml:3:9: alias: found "a b", expected host or host:port, such as "example.com"',
      'ERR_CONFIG_VALUE k.yaml:3:16: alias: found 1, expected host or host:port, such as "example.com"',
      'ERR_CONFIG_VALUE k.yaml:3:19: alias: found "a:99999", expected host or host:port, such as "example.com"',
      'ERR_CONFIG_VALUE k.yaml:4:9: mpath: found nothing, expected a folder or the name of an npm package',
      'ERR_CONFIG_VALUE k.yaml:5:16: modules.tm: found 5, expected a mapping',
    ],
  ],
  [
    'aliases of YAML that multiply',
    `+modules:\n a:\n${MULTIPLYING}`,
    ['ERR_CONFIG_SYNTAX k.yaml:5:18: not valid YAML: there are more than 100000 values, aliases included'],
  ],
  [
    'an alias of YAML that leads into itself',
    '+modules: { tm: &a { x: *a } }\n',
    ['ERR_CONFIG_SYNTAX k.yaml:3:24: not valid YAML: the alias *a leads nowhere or into itself'],
  ],
  [
    'environment variables that are missing, and references that are none',
    '+modules:\n  tm: { a: "${GONE}", b: "x${GONE_TOO}y", c: "${1}", d: "${OPEN" }\n',
    [
      'ERR_CONFIG_ENVIRONMENT k.yaml:4:12: environment variable GONE is not set, and ${GONE} gives no default (${GONE:-default} would)',
      'ERR_CONFIG_ENVIRONMENT k.yaml:4:26: environment variable GONE_TOO is not set, and ${GONE_TOO} gives no default (${GONE_TOO:-default} would)',
      'ERR_CONFIG_VALUE k.yaml:4:46: environment: found ${1}, expected ${NAME}, ${NAME:-default} or ${file:PATH}, or $${ for the two characters',
      'ERR_CONFIG_VALUE k.yaml:4:57: environment: found ${OPEN, expected ${NAME}, ${NAME:-default} or ${file:PATH}, or $${ for the two characters',
    ],
  ],
  [
    'an environment variable that is missing once, whatever the key',
    'listen: ["udp:${GONE}:5060"]\nroutes: ${GONE}\nlog: { level: "${GONE}" }\nalias: ["${GONE}:0"]\ntls: { certificate: "${GONE}", private_key: k.pem }\n',
    ['1:10', '2:9', '3:15', '4:9', '5:21'].map(
      (place) =>
        `ERR_CONFIG_ENVIRONMENT k.yaml:${place}: environment variable GONE is not set, and \${GONE} gives no default (\${GONE:-default} would)`,
    ),
  ],
];
for (const [name, text, expected] of table) {
  test(`configuration: reports ${name}`, () => {
    assert.deepEqual(mistakes(text.replace(/^\+/, MINIMAL)), expected);
  });
}
