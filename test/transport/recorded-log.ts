import type { Logger } from '../../core/log.ts';
import { keptLog, type LogLine as RecordedLine } from '../../core/testing/kept-log.ts';

export type { RecordedLine };

/** A logger that keeps what it is told, at every level. */
export function recordedLog(): Logger & { readonly lines: readonly RecordedLine[] } {
  const lines: RecordedLine[] = [];
  return { ...keptLog((line) => lines.push(line)), lines };
}
