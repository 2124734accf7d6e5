import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../core/main/bin.js', import.meta.url));
/** Where package.json, kamailio.yaml and config/routes.ts are. */
export const PROJECT = projectFolder(dirname(BIN));
/** The configuration that the package ships. */
export const SHIPPED = join(PROJECT, 'kamailio.yaml');

function projectFolder(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : projectFolder(dirname(from));
}

/** A folder of the test's own, outside the project. */
export const root = mkdtempSync(join(tmpdir(), 'kamaiki-test-'));
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

/** Longest wait for something that a program prints, ms: bounds a test that fails, and says nothing about speed. */
export const PATIENCE_MS = 30_000;

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built program in a folder without a configuration, and waits for its end. */
export function kamaiki(...args: readonly string[]): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    cwd: root,
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  return { code: status, out: stdout, err: stderr };
}

let files = 0;
/** Writes a file and gives its path. */
export function put(text: string, extension: string): string {
  const file = join(root, `${++files}.${extension}`);
  writeFileSync(file, text);
  return file;
}

/** Routes that answer everything with 200. */
export const ROUTES = `import { defineRoutes } from 'kamaiki';
export default defineRoutes({ uses: ['sl'], request({ ksr }) { ksr.sl.sl_send_reply(200, 'first'); } });`;

/** Writes a configuration that listens on a free port. */
export function configuration(routes: string, more = ''): string {
  return put(`listen: ["udp:127.0.0.1:0"]\nroutes: ${routes}\nmodules:\n  sl: {}\n${more}`, 'yaml');
}

/** A proxy that runs in a process of its own, and what it has printed. */
export class Running {
  readonly child: ChildProcess;
  err = '';
  readonly #ended: Promise<unknown[]>;

  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, [BIN, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
    running.add(this.child);
    this.#ended = once(this.child, 'exit');
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
  }

  /** Waits for a text on standard error. */
  async says(pattern: RegExp): Promise<RegExpMatchArray> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = pattern.exec(this.err);
      if (found !== null) return found;
      if (this.child.exitCode !== null) assert.fail(`it ended with ${this.child.exitCode}: ${this.err}`);
      assert.ok(this.child.stderr !== null);
      await Promise.race([once(this.child.stderr, 'data', { signal }), this.#ended]);
    }
  }

  async port(): Promise<number> {
    const [, port] = await this.says(/ready listen=udp:127\.0\.0\.1:(\d+)/);
    return Number(port);
  }

  async ends(signal: NodeJS.Signals): Promise<unknown> {
    this.child.kill(signal);
    const [code] = await this.#ended;
    return code;
  }
}

/** Sends OPTIONS and gives the first line of the answer. */
export async function ask(port: number): Promise<string> {
  const socket = createSocket('udp4');
  try {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const at = `127.0.0.1:${socket.address().port}`;
    socket.send(
      [
        `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
        `Via: SIP/2.0/UDP ${at};branch=z9hG4bK${Math.random()}`,
        `From: <sip:${at}>;tag=1`,
        `To: <sip:127.0.0.1:${port}>`,
        `Call-ID: ${Math.random()}`,
        'CSeq: 1 OPTIONS',
        'Max-Forwards: 5',
        'Content-Length: 0',
        '\r\n',
      ].join('\r\n'),
      port,
      '127.0.0.1',
    );
    const [bytes] = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
    return String(bytes).split('\r\n')[0] ?? '';
  } finally {
    socket.close();
  }
}
