import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, type Exit } from './child.ts';
import { isUdpPortBound } from './ports.ts';
import { tempFolder } from './temp-folder.ts';

export interface Kamailio {
  readonly port: number;
  /** Lines of its log, as they come. */
  readonly log: readonly string[];
  /** The first log line that matches; waits until there is one. */
  waitForLog(pattern: RegExp): Promise<string>;
  stop(): Promise<Exit>;
}

/** Starts Kamailio with a configuration, given as text with a line `listen=udp:127.0.0.1:PORT`; waits until the port is bound. */
export async function startKamailio(cfg: string): Promise<Kamailio> {
  const port = Number(/^\s*listen\s*=\s*udp:127\.0\.0\.1:(\d+)/m.exec(cfg)?.[1]);
  if (Number.isNaN(port)) throw new Error('the configuration has no line listen=udp:127.0.0.1:PORT');
  const folder = tempFolder();
  const file = join(folder, 'kamailio.cfg');
  writeFileSync(file, cfg);
  // -DD: stays in the foreground; -E: logs to standard error; -Y: where its run-time files go.
  const child = new Child('kamailio', [
    '-f',
    file,
    '-DD',
    '-E',
    '-m',
    '64',
    '-M',
    '8',
    '-Y',
    folder,
    '-w',
    folder,
  ]);
  await child.until(`socket on port ${port}`, () => isUdpPortBound(port));
  return {
    port,
    log: child.err,
    waitForLog: (pattern) =>
      child.until(`log line ${pattern}`, () => child.err.find((line) => pattern.test(line)) ?? null),
    stop: () => child.stop(),
  };
}
