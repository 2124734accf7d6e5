import type { LogFields, Logger, LogLevel } from '../../core/log.ts';

export interface RecordedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that keeps what it is told, at every level. */
export function recordedLog(): Logger & { readonly lines: readonly RecordedLine[] } {
  const lines: RecordedLine[] = [];
  const at = (level: LogLevel, added: LogFields) => (message: string, fields?: LogFields) => {
    lines.push({ level, message, fields: { ...added, ...fields } });
  };
  const logger = (added: LogFields): Logger => ({
    isEnabled: () => true,
    debug: at('debug', added),
    info: at('info', added),
    notice: at('notice', added),
    warn: at('warn', added),
    error: at('error', added),
    child: (fields) => logger({ ...added, ...fields }),
  });
  return { ...logger({}), lines };
}
