import { format } from 'node:util';

/** A place in a file a user wrote, for messages: lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Every error the proxy throws on purpose: a stable `code`, a readable `message`, where it stands, a `cause`. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: string;
  /** Where in a user's file the mistake stands; also at the start of `message`. */
  readonly place: Place | undefined;
  constructor(
    code: string,
    message: string,
    options?: ErrorOptions & { readonly place?: Place | undefined },
  ) {
    const place = options?.place;
    super(place === undefined ? message : `${place.file}:${place.line}:${place.column}: ${message}`, options);
    this.code = code;
    this.place = place;
  }
}

/** Several mistakes found in one go, such as all those of a configuration file. `message` has one line for each. */
export class ProxyErrors extends Error {
  override readonly name = 'ProxyErrors';
  readonly errors: readonly ProxyError[];
  constructor(found: readonly ProxyError[]) {
    super(found.map((error) => error.message).join('\n'));
    this.errors = found;
  }
}

type Arguments = readonly (string | number)[];

interface ErrorKind {
  (...args: Arguments): ProxyError;
  readonly code: string;
  readonly template: string;
  /** The same error, with the place in a user's file in front of its message. */
  at(place: Place | undefined, ...args: Arguments): ProxyError;
}

function define(code: string, template: string): ErrorKind {
  const make = (...args: Arguments) => new ProxyError(code, format(template, ...args));
  const at = (place: Place | undefined, ...args: Arguments) =>
    new ProxyError(code, format(template, ...args), { place });
  return Object.assign(make, { code, template, at });
}

/** Every code the proxy throws. `docs/errors.md` explains each; a test holds the two together. */
export const errors = {
  ERR_MODULE_UNKNOWN: define('ERR_MODULE_UNKNOWN', "no module named '%s'%s"),
  ERR_MODULE_DUPLICATE: define('ERR_MODULE_DUPLICATE', "module '%s' is loaded twice"),
  ERR_MODULE_DEPENDENCY: define('ERR_MODULE_DEPENDENCY', "module '%s' depends on '%s', which is not loaded"),
  ERR_MODULE_CYCLE: define('ERR_MODULE_CYCLE', 'modules depend on each other: %s'),
  ERR_MODULE_NAME_TAKEN: define(
    'ERR_MODULE_NAME_TAKEN',
    "two of the modules that can be loaded are named '%s': %s and %s",
  ),
  ERR_MODULE_DECLARATION: define('ERR_MODULE_DECLARATION', "module '%s' is not declared properly: %s"),
  ERR_MODULE_INIT: define('ERR_MODULE_INIT', "module '%s' could not be initialised: %s"),
  ERR_MODULE_START: define('ERR_MODULE_START', "module '%s' could not be started: %s"),
  ERR_MODULE_STOP: define('ERR_MODULE_STOP', "module '%s' could not be stopped: %s"),
  ERR_PARAM_UNKNOWN: define('ERR_PARAM_UNKNOWN', "module '%s' has no parameter '%s'%s"),
  ERR_PARAM_VALUE: define('ERR_PARAM_VALUE', '%s.%s: expected %s, found %s%s'),
  ERR_MPATH_ENTRY: define('ERR_MPATH_ENTRY', "mpath '%s': %s"),
  ERR_MPATH_IMPORT: define('ERR_MPATH_IMPORT', "mpath '%s': '%s' could not be loaded: %s"),
  ERR_PV_DUPLICATE: define('ERR_PV_DUPLICATE', "module '%s' exports %s, which module '%s' exports as well"),
  ERR_PV_UNKNOWN: define('ERR_PV_UNKNOWN', "no pseudo-variable named '%s'%s"),
  ERR_PV_SYNTAX: define('ERR_PV_SYNTAX', "'%s', offset %d: %s"),
  ERR_PV_READ_ONLY: define('ERR_PV_READ_ONLY', '%s cannot be set'),
  ERR_PV_NULL_IN_KEY: define('ERR_PV_NULL_IN_KEY', "%s is null inside the key '%s'"),
  ERR_ROUTE_SHAPE: define('ERR_ROUTE_SHAPE', '%s: %s: expected %s, found %s%s'),
  ERR_ROUTE_USES: define('ERR_ROUTE_USES', "%s: routes use module '%s', which is not loaded%s"),
  ERR_ROUTE_NAME: define(
    'ERR_ROUTE_NAME',
    "%s: %s calls %s('%s'), but there is no %s handler of that name%s",
  ),
  ERR_ROUTE_KEY: define(
    'ERR_ROUTE_KEY',
    "%s: %s calls %s('%s'), but a plain string is taken as it stands; write %s`%s` to have pseudo-variables and lifetime read from it",
  ),
  ERR_ROUTE_FORMAT: define('ERR_ROUTE_FORMAT', "%s: %s calls %s with the format '%s': %s"),
  ERR_ROUTE_CHOICE: define('ERR_ROUTE_CHOICE', "%s: %s calls %s with '%s': expected one of %s%s"),
  ERR_ROUTE_DETACHED: define('ERR_ROUTE_DETACHED', '%s was called apart from what it belongs to: write %s'),
  ERR_ROUTE_NOT_IN_USES: define(
    'ERR_ROUTE_NOT_IN_USES',
    "%s belongs to module '%s', which is missing in the routes' uses",
  ),
  ERR_ROUTE_FUNCTION: define('ERR_ROUTE_FUNCTION', '%s works in %s handlers, not in %s handlers'),
  ERR_CONFIG_READ: define('ERR_CONFIG_READ', "cannot read the configuration file '%s': %s"),
  ERR_CONFIG_SYNTAX: define('ERR_CONFIG_SYNTAX', 'not valid YAML: %s'),
  ERR_CONFIG_KEY: define('ERR_CONFIG_KEY', "unknown key '%s' in %s%s"),
  ERR_CONFIG_DUPLICATE: define('ERR_CONFIG_DUPLICATE', "%s '%s' stands twice, first in line %d"),
  ERR_CONFIG_MISSING: define('ERR_CONFIG_MISSING', "key '%s' is missing: expected %s"),
  ERR_CONFIG_VALUE: define('ERR_CONFIG_VALUE', '%s: found %s, expected %s'),
  ERR_CONFIG_ENVIRONMENT: define(
    'ERR_CONFIG_ENVIRONMENT',
    'environment variable %s is not set, and ${%s} gives no default (${%s:-default} would)',
  ),
  ERR_CONFIG_FILE: define('ERR_CONFIG_FILE', 'the file of ${file:%s} cannot be read: %s'),
  ERR_LOG_FILE: define('ERR_LOG_FILE', "the log file '%s' cannot be written: %s"),
  ERR_ROUTE_SYNTAX: define('ERR_ROUTE_SYNTAX', 'syntax error: %s'),
  ERR_ROUTE_LOAD: define('ERR_ROUTE_LOAD', 'cannot be loaded: %s'),
  ERR_ROUTE_DEFAULT: define('ERR_ROUTE_DEFAULT', 'expected `export default defineRoutes({ ... })`, found %s'),
  ERR_URI_SYNTAX: define('ERR_URI_SYNTAX', '%s: %s is not a valid URI: %s'),
  ERR_URI_PARAM: define('ERR_URI_PARAM', '%s: %s is not a URI parameter: expected %s'),
  ERR_PV_VALUE: define('ERR_PV_VALUE', '%s: expected %s, found %s'),
  ERR_PV_IN_REPLY: define('ERR_PV_IN_REPLY', '%s belongs to requests: it cannot be set on a reply'),
  ERR_TEXT_TYPE: define('ERR_TEXT_TYPE', '%s: expected a text, found %s'),
  ERR_TEXT_LINE_BREAK: define('ERR_TEXT_LINE_BREAK', '%s: a line break stands in %s'),
  ERR_REPLY_CODE: define('ERR_REPLY_CODE', '%s: expected a reply code from 100 to 699, found %O'),
  ERR_REGEX_SYNTAX: define('ERR_REGEX_SYNTAX', '%s: %s is not a regular expression: %s'),
  ERR_SUBST_SYNTAX: define('ERR_SUBST_SYNTAX', '%s: %s is not a substitution: %s'),
  ERR_HEADER_LINES: define('ERR_HEADER_LINES', '%s: %s: expected %s'),
  ERR_MAXFWD_LIMIT: define('ERR_MAXFWD_LIMIT', '%s: expected an integer from 1 to max_limit (%d), found %s'),
  ERR_XLOG_LEVEL: define('ERR_XLOG_LEVEL', "xlog: '%s' is not a log level: expected one of %s"),
  ERR_MEMCACHED_SERVERS: define('ERR_MEMCACHED_SERVERS', "memcached.servers: '%s': %s"),
  ERR_MEMCACHED_GROUP: define(
    'ERR_MEMCACHED_GROUP',
    "memcached: no group of servers named '%s': the parameter groups has %s",
  ),
  ERR_MEMCACHED_ACCESS: define('ERR_MEMCACHED_ACCESS', 'memcached: %s'),
  ERR_MEMCACHED_EXPIRE: define('ERR_MEMCACHED_EXPIRE', '%s: expected %s, found %s'),
  ERR_MEMCACHED_KEY: define('ERR_MEMCACHED_KEY', '%s: %s'),
  ERR_MEMCACHED_VALUE: define('ERR_MEMCACHED_VALUE', "%s of key '%s': expected %s, found %s"),
  ERR_MEMCACHED_LIMIT: define('ERR_MEMCACHED_LIMIT', '%s: expected %s, found %s'),
  ERR_MEMCACHED_NOT_A_NUMBER: define(
    'ERR_MEMCACHED_NOT_A_NUMBER',
    "%s of key '%s': the value stored is not a number, nothing was changed",
  ),
  ERR_HTABLE_NAME: define('ERR_HTABLE_NAME', '%s: %s'),
  ERR_HTABLE_VALUE: define('ERR_HTABLE_VALUE', '%s: %s: expected %s, found %s'),
  ERR_TM_BRANCHES: define('ERR_TM_BRANCHES', '%s: a request has at most %d branches, this one would have %d'),
  ERR_TM_VALUE: define('ERR_TM_VALUE', '%s: expected %s, found %s'),
  ERR_UAC_REDIRECT_VALUE: define('ERR_UAC_REDIRECT_VALUE', '%s: expected %s, found %s'),
  ERR_TRANSACTION_LAYER: define(
    'ERR_TRANSACTION_LAYER',
    'two modules want to keep transactions; load one only',
  ),
  ERR_TLS_MISSING: define(
    'ERR_TLS_MISSING',
    "to listen on %s takes a certificate: expected the key 'tls' with certificate and private_key",
  ),
  ERR_TLS_FILE: define('ERR_TLS_FILE', "cannot read '%s': %s"),
  ERR_TLS_CERTIFICATE: define('ERR_TLS_CERTIFICATE', "'%s' is no PEM file that TLS can use: %s"),
  ERR_NATIVE_UDP: define(
    'ERR_NATIVE_UDP',
    'udp.native: the native UDP sockets cannot be loaded; `npm run build:native` builds them: %s',
  ),
  ERR_LISTEN: define('ERR_LISTEN', 'cannot listen on %s: %s'),
  ERR_METRIC: define('ERR_METRIC', "metric '%s': %s"),
  ERR_METRICS_LISTEN: define('ERR_METRICS_LISTEN', 'metrics: cannot listen on %s: %s'),
  ERR_SIP_UNCHECKED: define('ERR_SIP_UNCHECKED', 'a message that checkMessage did not accept was read: %s'),
  ERR_FLAGS: define('ERR_FLAGS', '%s: expected a sum of flags from %d to %d, found %s'),
} as const;
