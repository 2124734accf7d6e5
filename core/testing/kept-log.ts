import type { LogFields, Logger, LogLevel } from '../log.ts';

/** A line that the proxy logged. */
export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that hands on what it is told, at every level. */
export function keptLog(keep: (line: LogLine) => void, added: LogFields = {}): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    keep({ level, message, fields: { ...added, ...fields } });
  };
  return {
    isEnabled: () => true,
    debug: at('debug'),
    info: at('info'),
    notice: at('notice'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => keptLog(keep, { ...added, ...fields }),
  };
}
