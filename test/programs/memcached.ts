import { Child, type Exit } from './child.ts';
import { freePort } from './free-port.ts';
import { acceptsTcp } from './ports.ts';

export interface Memcached {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly server: string;
  /** SIGSTOP: connections stay and nothing is answered. */
  pause(): void;
  resume(): void;
  /** SIGKILL. */
  kill(): Promise<Exit>;
  stop(): Promise<Exit>;
}

/** Starts a memcached on 127.0.0.1 and waits until it takes connections. `port`: default a free one. */
export async function startMemcached(
  options: { readonly port?: number; readonly args?: readonly string[] } = {},
): Promise<Memcached> {
  const port = options.port ?? (await freePort());
  // memcached refuses to run as root unless told the user.
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const listen = ['-l', '127.0.0.1', '-p', String(port), '-U', '0'];
  const child = new Child('memcached', [...listen, ...user, ...(options.args ?? [])]);
  await child.until(`connection on port ${port}`, () => acceptsTcp(port));
  return {
    port,
    server: `127.0.0.1:${port}`,
    pause: () => child.signal('SIGSTOP'),
    resume: () => child.signal('SIGCONT'),
    kill: () => {
      child.signal('SIGKILL');
      return child.exited;
    },
    stop: () => child.stop(),
  };
}
