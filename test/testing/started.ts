import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startTestProxy, type TestProxyOptions } from '../../core/testing/index.ts';
import { tempFolder } from '../programs/temp-folder.ts';

const YAML = `listen: [ 'udp:192.0.2.100:5060', 'tcp:192.0.2.100:5060', 'udp:[2001:db8::100]:5060' ]
routes: ./routes.ts
modules: { pv: {}, sl: {}, tm: {}, rr: {}, siputils: {}, xlog: {}, htable: { htable: ['t=>size=4'] } }
`;

/** Routes whose request handler does this. */
export function routesOf(body: string): string {
  return `import { defineRoutes } from 'kamaiki';
import { setTimeout } from 'node:timers/promises';
export default defineRoutes({
  uses: ['pv', 'sl', 'tm', 'rr', 'siputils', 'xlog', 'htable'],
  async request({ pv, ksr }) {
    ${body}
  },
});
`;
}

export const RELAY = routesOf(`
    if (ksr.siputils.has_totag()) ksr.rr.loose_route();
    else ksr.rr.record_route();
    await ksr.tm.t_relay();`);

export function fileOf(routes: string): string {
  const folder = tempFolder();
  writeFileSync(join(folder, 'kamailio.yaml'), YAML);
  writeFileSync(join(folder, 'routes.ts'), routes);
  return join(folder, 'kamailio.yaml');
}

export async function started(t: TestContext, routes: string, options?: TestProxyOptions) {
  const proxy = await startTestProxy(fileOf(routes), options);
  t.after(() => proxy.stop());
  return {
    proxy,
    alice: proxy.userAgent('sip:alice@192.0.2.1'),
    bob: proxy.userAgent('sip:bob@192.0.2.2:5070'),
  };
}
