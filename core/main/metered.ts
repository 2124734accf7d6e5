import type { Logger } from '../log.ts';
import { Exposition } from './exposition.ts';
import { MetricsEndpoint } from './metrics-endpoint.ts';
import type { MetricsSettings } from './metrics-key.ts';
import type { Measured, Servable } from './serve.ts';

/** A proxy whose figures can be asked for by HTTP from before it starts until after it has stopped. */
export function metered(proxy: Measured, settings: MetricsSettings, log: Logger): Servable {
  const exposition = new Exposition(proxy.metrics, log);
  let ready = false;
  const endpoint = new MetricsEndpoint(settings, {
    contentType: exposition.contentType,
    text: () => exposition.text(),
    isReady: () => ready,
  });
  return {
    get points() {
      return proxy.points;
    },
    async start() {
      const address = await endpoint.start();
      try {
        await proxy.start();
      } catch (error) {
        await endpoint.close();
        throw error;
      }
      ready = true;
      log.info('metrics', { address });
    },
    async stop() {
      ready = false;
      try {
        await proxy.stop();
      } finally {
        await endpoint.close();
      }
    },
  };
}
