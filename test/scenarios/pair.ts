import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { freePort } from '../programs/free-port.ts';
import { type LogLine, type Proxy, startProxy } from '../programs/proxy.ts';
import { runSipp, startSipp, type SippResult } from '../programs/sipp.ts';
import { callConfiguration, callRoutes } from './call-routes.ts';

/** The addresses that a pair of SIPps use; an IPv6 one without brackets. */
export interface Sides {
  readonly caller: string;
  readonly callee: string;
}
const LOOPBACK: Sides = { caller: '127.0.0.1', callee: '127.0.0.1' };

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

export interface PairOptions {
  /** Scenario files. */
  readonly caller: string;
  readonly callee: string;
  readonly calls: number;
  /** Calls started per second. */
  readonly rate: number;
  /** Further arguments of SIPp. */
  readonly callerArgs?: readonly string[];
  readonly calleeArgs?: readonly string[];
  /** How long the run may take, ms. */
  readonly limitMs?: number;
}

export interface PairResult {
  readonly caller: SippResult;
  readonly callee: SippResult;
}

/** Has SIPp call SIPp through what listens on `target`; the callee takes `calleePort`. Ends when both have made all their calls. */
export async function runPair(
  { caller, callee, calls, rate, callerArgs = [], calleeArgs = [], limitMs = 60_000 }: PairOptions,
  {
    target,
    calleePort,
    sides = LOOPBACK,
  }: { readonly target: number; readonly calleePort: number; readonly sides?: Sides },
): Promise<PairResult> {
  const answering = await startSipp({
    scenario: callee,
    address: sides.callee,
    port: calleePort,
    calls,
    args: calleeArgs,
    limitMs,
  });
  try {
    // SIPp's own choice, 5060, may be what another test needs. Not waited for: a short run is over before it is seen.
    const callerPort = await freePort();
    const calling = await runSipp({
      scenario: caller,
      address: sides.caller,
      target: `${bracketed(sides.caller)}:${target}`,
      calls,
      rate,
      args: ['-s', 'callee', '-p', String(callerPort), ...callerArgs],
      limitMs,
    });
    // A callee whose caller failed would wait for calls until its limit.
    return { caller: calling, callee: await (calling.code === 0 ? answering.result : answering.stop()) };
  } finally {
    await answering.stop();
  }
}

export interface CallProxyOptions {
  /** Port of the callee. Default: a free one. */
  readonly calleePort?: number;
  /** The memcached module's servers; without, the routes use no memcached. */
  readonly memcached?: string;
  /** See CallRoutesOptions. */
  readonly lenient?: boolean;
  /** The proxy listens on the caller's address and, where it is another one, on the callee's. */
  readonly sides?: Sides;
}

/** A proxy with `callRoutes`, stopped after the test. */
export async function startCallProxy(
  t: TestContext,
  { memcached, lenient = false, sides = LOOPBACK, ...options }: CallProxyOptions = {},
): Promise<{ readonly proxy: Proxy; readonly calleePort: number }> {
  const calleePort = options.calleePort ?? (await freePort());
  const proxy = await startProxy({
    yaml: callConfiguration({
      memcached,
      addresses: [...new Set([sides.caller, sides.callee])].map(bracketed),
    }),
    routes: callRoutes(`${bracketed(sides.callee)}:${calleePort}`, {
      cached: memcached !== undefined,
      lenient,
    }),
  });
  t.after(() => proxy.stop());
  return { proxy, calleePort };
}

/** Asserts that every call of a side was as its scenario says. */
export function assertAllGood(side: string, result: SippResult, calls: number): void {
  const { code, successful, failed, unexpectedMessages, errors } = result;
  assert.deepEqual(
    { code, successful, failed, unexpectedMessages },
    { code: 0, successful: calls, failed: 0, unexpectedMessages: 0 },
    `${side}: ${JSON.stringify({ code, successful, failed, unexpectedMessages })}\n${errors.slice(0, 4_000)}`,
  );
}

/** Log lines of the proxy that tell of something wrong. */
export function complaints(proxy: Proxy): readonly LogLine[] {
  return proxy.log().filter(({ level }) => level === 'warn' || level === 'error');
}
