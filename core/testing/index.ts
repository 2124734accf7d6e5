/** `kamaiki/testing`: a proxy for tests of routes and modules, without sockets and without waiting. */
import { TestProxy, type TestProxyOptions } from './test-proxy.ts';

export type { LogLine } from './kept-log.ts';
export type { MessageOptions } from './print-message.ts';
export type { Undelivered } from './simulated-network.ts';
export type { TestMessage } from './test-message.ts';
export type { UserAgent } from './user-agent.ts';
export type { TestProxy, TestProxyOptions };

/**
 * Starts the proxy of a configuration file on a network and a clock of its own: nothing is sent outside of this process, and time moves when the test says so.
 *
 * @throws ProxyErrors with every mistake in the file or the routes, as `kamaiki -c` tells them; Error for a mistake in the options.
 * @example
 * const proxy = await startTestProxy('kamailio.yaml', { modules: { memcached: { servers: 'embedded' } } });
 * const alice = proxy.userAgent('sip:alice@192.0.2.1');
 * const bob = proxy.userAgent('sip:bob@192.0.2.2');
 * await alice.send('INVITE', bob.uri);
 * await bob.reply(bob.next('INVITE'), 486);
 * alice.next(486);
 */
export async function startTestProxy(file: string, options: TestProxyOptions = {}): Promise<TestProxy> {
  return TestProxy.start(file, options, async () => (await import('../../modules/index.ts')).builtinModules);
}
