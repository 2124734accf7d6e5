import type { Received } from '../sip/hop.ts';
import type { TransportOptions } from './transport.ts';

/** Gives a message to the sink. What that throws is logged and goes no further. */
export function deliver(
  { sink, log }: Pick<TransportOptions, 'sink' | 'log'>,
  bytes: Buffer,
  received: Received,
): void {
  try {
    sink(bytes, received);
  } catch (error) {
    log.error('a received message could not be handled', {
      from: `${received.address}:${received.port}`,
      error,
    });
  }
}
