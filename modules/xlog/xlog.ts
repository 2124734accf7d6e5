import {
  type Call,
  type CoreServices,
  defineModule,
  errors,
  type LogLevel,
  ProxyError,
} from '../../core/index.ts';

/** Kamailio's levels and what the log has for them. */
const LEVELS = {
  L_ALERT: 'error',
  L_CRIT: 'error',
  L_ERR: 'error',
  L_WARN: 'warn',
  L_NOTICE: 'notice',
  L_INFO: 'info',
  L_DBG: 'debug',
} as const satisfies Record<string, LogLevel>;

function isLevel(name: string): name is keyof typeof LEVELS {
  return Object.hasOwn(LEVELS, name);
}

/** What the functions of this module need. */
export interface XlogState {
  readonly core: CoreServices;
}

/** Log lines with pseudo-variables. */
export const xlog = defineModule({
  name: 'xlog',
  doc: 'Writes log lines with pseudo-variables in them.',
  depends: [],
  params: {},
  init: ({ core }): XlogState => ({ core }),
  pseudoVariables: {},
  functions: {
    xlog: {
      on: 'any',
      expands: true,
      choices: Object.keys(LEVELS),
      doc: 'Writes a line with its pseudo-variables expanded, at the level given first, else at L_ERR: `xlog(level, format)` or `xlog(format)`. When the level is off, nothing is expanded. A promise when a variable has to wait. A line that cannot be written, as when its format or level is wrong, is reported at error, and the handler goes on; plain texts are checked when the routes are loaded.',
      signature: '(levelOrFormat: string, format?: string): void | Promise<void>',
      call: (call, levelOrFormat: string, format?: string): void | Promise<void> =>
        format === undefined ? write(call, 'L_ERR', levelOrFormat) : write(call, levelOrFormat, format),
    },
    xdbg: {
      on: 'any',
      expands: true,
      doc: 'The same at L_DBG.',
      signature: '(format: string): void | Promise<void>',
      call: (call, format: string) => write(call, 'L_DBG', format),
    },
    xinfo: {
      on: 'any',
      expands: true,
      doc: 'The same at L_INFO.',
      signature: '(format: string): void | Promise<void>',
      call: (call, format: string) => write(call, 'L_INFO', format),
    },
    xnotice: {
      on: 'any',
      expands: true,
      doc: 'The same at L_NOTICE.',
      signature: '(format: string): void | Promise<void>',
      call: (call, format: string) => write(call, 'L_NOTICE', format),
    },
    xwarn: {
      on: 'any',
      expands: true,
      doc: 'The same at L_WARN.',
      signature: '(format: string): void | Promise<void>',
      call: (call, format: string) => write(call, 'L_WARN', format),
    },
    xerr: {
      on: 'any',
      expands: true,
      doc: 'The same at L_ERR.',
      signature: '(format: string): void | Promise<void>',
      call: (call, format: string) => write(call, 'L_ERR', format),
    },
  },
});

function write(call: Call<XlogState>, level: string, format: string): void | Promise<void> {
  const { scope, log, state } = call;
  try {
    if (!isLevel(level)) throw errors.ERR_XLOG_LEVEL(level, Object.keys(LEVELS).join(', '));
    const logLevel = LEVELS[level];
    if (!log.isEnabled(logLevel)) return undefined;
    const text = state.core.formats.expand(scope, format);
    if (typeof text === 'string') return log[logLevel](withoutLineEnd(text));
    return text.then(
      (waited) => log[logLevel](withoutLineEnd(waited)),
      (error: unknown) => reportLost(call, format, error),
    );
  } catch (error) {
    return reportLost(call, format, error);
  }
}

/** A line that cannot be written is a fault of the routes, and no reason to refuse the call. */
function reportLost({ msg, scope, log }: Call<XlogState>, format: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof ProxyError ? { code: error.code } : {};
  log.error(`a line was not written: ${reason}`, { ...code, route: scope.route, format, callId: msg.callId });
}

/** Kamailio's formats end in `\n`; the log ends its lines itself. */
function withoutLineEnd(text: string): string {
  return text.endsWith('\n') ? text.slice(0, text.endsWith('\r\n') ? -2 : -1) : text;
}

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    xlog: typeof xlog;
  }
}
