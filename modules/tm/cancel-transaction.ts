import type { SipResponse, Target, TransportService } from '../../core/index.ts';
import { ClientTransaction, type ClientUser } from './client-transaction.ts';
import type { TmCounters } from './figures.ts';
import type { Environment } from './running-machine.ts';

interface CancelEnvironment extends Environment {
  readonly counters: Pick<TmCounters, 'requestsResent'>;
  readonly core: { readonly transport: Pick<TransportService, 'send'> };
}

/** The proxy's own CANCEL: retransmitted until it is answered, then forgotten (RFC 3261 9.1, 16.10). */
export class CancelTransaction implements ClientUser {
  readonly invite = false;
  readonly client: ClientTransaction;
  readonly environment: CancelEnvironment;
  readonly #target: Target;
  readonly #forget: () => void;

  constructor(environment: CancelEnvironment, request: Buffer, target: Target, forget: () => void) {
    this.environment = environment;
    this.#target = target;
    this.#forget = forget;
    this.client = new ClientTransaction(this, {
      request,
      reliable: target.protocol !== 'udp',
    });
  }

  transmit(request: Buffer, onError: (error: Error) => void): void {
    this.environment.core.transport.send(request, this.#target, onError);
  }

  resending(): void {
    this.environment.counters.requestsResent += 1;
  }

  // The answer to a CANCEL says nothing that the INVITE's own final response does not say.
  responded(_response: SipResponse): void {}

  acknowledgement(): null {
    return null;
  }

  timedOut(): void {}

  transportFailed(): void {}

  clientEnded(): void {
    this.#forget();
  }
}
