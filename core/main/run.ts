import { ProxyError, ProxyErrors } from '../errors.ts';
import type { Logger } from '../log.ts';
import { Proxy } from '../proxy/proxy.ts';
import { messageOf } from '../registry/shown.ts';
import { TimerWheel } from '../timer-wheel.ts';
import { openNodeSocket, type OpenDatagramSocket } from '../transport/datagram-socket.ts';
import { loadNativeBinding } from '../transport/native-binding.ts';
import { nativeSockets } from '../transport/native-socket.ts';
import { TlsCredentials } from '../transport/tls-credentials.ts';
import { type ClosableLogger, createLogger } from '../winston-log.ts';
import { type Assembly, assemble, type Sources } from './assemble.ts';
import { tellChangedKeys } from './changed-keys.ts';
import { collectLessOften } from './collect-less-often.ts';
import { helperThreads, lowerWhenCompiled } from './helper-threads.ts';
import { reopenLogFile } from './log-file.ts';
import { reloadCertificates } from './reload-certificates.ts';
import { loadRoutes } from './routes-loader.ts';
import { type Measured, serve, type Servable } from './serve.ts';
import type { Rehearsal } from './warm-up.ts';

/** Runs a proxy until it is stopped. Returns the exit code: 0 after a clean stop, 1 when it could not start or stopped by a fault. */
export async function run(sources: Sources, rehearsal: () => Promise<Rehearsal>): Promise<number> {
  // Nobody hears a SIGHUP yet, and it would end the process.
  let hungUp = false;
  process.on('SIGHUP', () => {
    hungUp = true;
  });
  collectLessOften();
  const helpers = helperThreads();
  const assembly = await assembled(sources);
  if (assembly === null) return 1;
  const log = createLogger(assembly.configuration.log);
  const clock = new TimerWheel({ onError: (error) => log.error('a timer failed', { error }) });
  const { routesFile: file, limits } = assembly.configuration;
  let code = 1;
  try {
    const credentials = credentialsOf(assembly);
    const openUdp = udpOf(assembly);
    const proxy = create(assembly, { log, clock, credentials, openUdp });
    lowerWhenCompiled(helpers, clock);
    const warm = await withWarmUp(proxy, { assembly, rehearsal, log, openUdp });
    code = await serve(await withMetrics(warm, { assembly, log, clock }), {
      log,
      announce: log.announce,
      events: process,
      exit: (status) => void leave(log, status).then(() => process.exit(status)),
      now: () => clock.now(),
      hungUp,
      renew: () => {
        reopenLogFile(log, assembly.configuration.log.file);
        if (credentials !== null) reloadCertificates(credentials, sources, log);
        tellChangedKeys(assembly.configuration, sources, log);
      },
      reload: async () => {
        const { routes, placeOf } = await loadRoutes(file, limits.startTimeoutMs);
        proxy.reload(routes, file, placeOf);
      },
    });
  } catch (error) {
    await log.close();
    report(error);
  } finally {
    clock.close();
  }
  await leave(log, code);
  return code;
}

/**
 * Closes the log, after which the process may exit with that code. Where nobody reads the log, an exit would wait for ever for the thread that writes it: a
 * signal ends the process then, for a clean stop the one that asks for it.
 */
async function leave(log: ClosableLogger, code: number): Promise<void> {
  if (await log.close()) return;
  process.removeAllListeners('SIGTERM');
  process.kill(process.pid, code === 0 ? 'SIGTERM' : 'SIGKILL');
}

/** Checks configuration, modules and routes without listening. Returns the exit code: 0 when all is well. */
export async function check(sources: Sources): Promise<number> {
  const assembly = await assembled(sources);
  if (assembly === null) return 1;
  const { level, format } = assembly.configuration.log;
  const log = createLogger({ level, format });
  const clock = new TimerWheel({ onError: report });
  try {
    create(assembly, { log, clock, credentials: credentialsOf(assembly), openUdp: udpOf(assembly) });
  } catch (error) {
    report(error);
    return 1;
  } finally {
    clock.close();
    await log.close();
  }
  for (const file of [sources.file, assembly.configuration.routesFile]) process.stdout.write(`${file}: ok\n`);
  return 0;
}

async function assembled(sources: Sources): Promise<Assembly | null> {
  try {
    return await assemble(sources);
  } catch (error) {
    report(error);
    return null;
  }
}

function udpOf({ configuration: { nativeUdp } }: Assembly): OpenDatagramSocket {
  return nativeUdp ? nativeSockets(loadNativeBinding()) : openNodeSocket;
}

function credentialsOf({ configuration: { tls } }: Assembly): TlsCredentials | null {
  return tls === null ? null : new TlsCredentials(tls);
}

interface Parts {
  readonly log: Logger;
  readonly clock: TimerWheel;
  readonly credentials: TlsCredentials | null;
  readonly openUdp: OpenDatagramSocket;
}

function create(assembly: Assembly, { log, clock, credentials, openUdp }: Parts): Proxy {
  const { configuration, available, modules, routes, placeOf } = assembly;
  const { listen, alias, limits, routesFile, tcp, dns } = configuration;
  const streams = { limits: tcp, credentials };
  return Proxy.create({
    listen,
    alias,
    available,
    modules,
    routes,
    routesFile,
    placeOf,
    log,
    clock,
    limits,
    streams,
    openUdp,
    dns,
  });
}

/** The proxy with what `warm_up` asks for; loaded only where it is asked for, since it takes time. */
async function withWarmUp(
  proxy: Proxy,
  {
    assembly: { configuration, available },
    rehearsal,
    log,
    openUdp,
  }: Pick<Parts, 'log' | 'openUdp'> & {
    readonly assembly: Assembly;
    readonly rehearsal: () => Promise<Rehearsal>;
  },
): Promise<Measured> {
  const { warmUpCalls: calls } = configuration;
  if (calls === 0) return proxy;
  const { warmedUp } = await import('./warm-up.ts');
  return warmedUp(proxy, { calls, available, rehearsal, log, openUdp });
}

/** The proxy with what `metrics` asks for; all of that is loaded only where it is asked for, since it takes time. */
async function withMetrics(
  proxy: Measured,
  { assembly, log, clock }: Pick<Parts, 'log' | 'clock'> & { readonly assembly: Assembly },
): Promise<Servable> {
  const { metrics } = assembly.configuration;
  if (metrics === null) return proxy;
  proxy.metrics.gauge({
    name: 'kamaiki_timers',
    help: 'Timers that are set, those of transactions among them.',
    read: () => clock.pending,
  });
  const { metered } = await import('./metered.ts');
  return metered(proxy, metrics, log);
}

/** Prints what keeps the proxy from starting: a user's mistake as one line each, with its code, a fault of the program with its stack. */
export function report(error: unknown): void {
  process.stderr.write(`${reported(error)}\n`);
}

function reported(error: unknown): string {
  if (error instanceof ProxyErrors) return error.errors.map(reported).join('\n');
  // By the code docs/errors.md has more.
  if (error instanceof ProxyError) return `${error.message} [${error.code}]`;
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}
