import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { errors } from '../errors.ts';
import { messageOf } from '../registry/shown.ts';
import type { ClosableLogger } from '../winston-log.ts';

/**
 * A log that cannot be written is told at start: later there is no good place to tell it. A file that is not there is not made, since whoever checks may be
 * another user than the proxy's.
 *
 * @throws ERR_LOG_FILE.
 */
export function checkLogFile(file: string | undefined): void {
  if (file === undefined) return;
  try {
    if (existsSync(file)) closeSync(openSync(file, 'a'));
    else accessSync(dirname(file), constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw Object.assign(errors.ERR_LOG_FILE(file, messageOf(cause)), { cause });
  }
}

/** Has the log open its file anew, if it has one, since a rotation may have renamed it. A log that cannot be opened goes on in the file before. */
export function reopenLogFile(log: ClosableLogger, file: string | undefined): void {
  if (file === undefined) return;
  try {
    checkLogFile(file);
    log.reopen();
    log.notice('log file reopened');
  } catch (error) {
    log.error('log file not reopened, lines go on into the one before', { error });
  }
}
