import type { SipResponse } from '../../core/index.ts';
import {
  type ClientInput,
  type ClientState,
  inviteClient,
  nonInviteClient,
  responseInput,
} from './machines.ts';
import { type MachineUser, RunningMachine } from './running-machine.ts';

/** What a client transaction asks of its surroundings. */
export interface ClientUser extends MachineUser {
  /** Whether the request is an INVITE. */
  readonly invite: boolean;
  /** Puts a request, or its ACK, on the wire to the target; `onError` as TransportService.send has it. */
  transmit(message: Buffer, onError: (error: Error) => void): void;
  /** A response that is no retransmission, or a further 2xx to INVITE. */
  responded(response: SipResponse): void;
  /** Builds the ACK for the first final response other than 2xx; null: there is none to send. Only asked of INVITE. */
  acknowledgement(response: SipResponse): Buffer | null;
  /** No response came in time (timers B and F). */
  timedOut(): void;
  transportFailed(error: Error): void;
  /** The machine is in its last state: forget it. */
  clientEnded(): void;
}

/** A client transaction: retransmits the request, acknowledges INVITE failures hop by hop (RFC 3261 17.1). */
export class ClientTransaction extends RunningMachine<
  ClientState,
  Exclude<ClientInput, 'retry' | 'deadline'>,
  SipResponse,
  ClientUser
> {
  /** For as long as it may be sent again. */
  #request: Buffer | null;
  #ack: Buffer | null = null;
  #error: Error | null = null;

  constructor(user: ClientUser, options: { readonly request: Buffer; readonly reliable: boolean }) {
    const { invite } = user;
    const machine = invite ? inviteClient : nonInviteClient;
    super(user, machine, {
      state: invite ? 'calling' : 'trying',
      reliable: options.reliable,
    });
    this.#request = options.request;
  }

  /** The ACK that each further failure of an INVITE gets; null before the first, and for others. */
  get ack(): Buffer | null {
    return this.#ack;
  }

  /** Sends the request and starts waiting. */
  start(): void {
    if (this.user.invite) this.startTimers('A', 'B');
    else this.startTimers('E', 'F');
    if (this.#request !== null) this.#transmit(this.#request);
  }

  /** The time limits have changed: one that runs for a response begins anew. */
  restartDeadline(): void {
    if (this.user.invite && this.state === 'calling') this.startDeadline('B');
    if (!this.user.invite && (this.state === 'trying' || this.state === 'proceeding'))
      this.startDeadline('F');
  }

  /** The request is not sent again; responses to it are still taken. */
  stopRetransmitting(): void {
    this.stopRetry();
  }

  /** A response with this transaction's branch and method has come. */
  received(response: SipResponse): void {
    this.step(responseInput(response.status), response);
  }

  protected override perform(
    action: 'send' | 'resend' | 'ack' | 'to user' | 'timed out' | 'transport failed',
    response: SipResponse | null,
  ): void {
    switch (action) {
      case 'resend':
        if (this.#request === null) return;
        this.user.resending();
        this.#transmit(this.#request);
        return;
      case 'ack':
        if (response === null) return;
        this.#acknowledge(response);
        return;
      case 'to user':
        if (response === null) return;
        // Never sent again (RFC 3261 17.1.1.2, 17.1.2.2).
        if (this.user.invite || response.status >= 200) this.#request = null;
        this.user.responded(response);
        return;
      case 'timed out':
        this.user.timedOut();
        return;
      case 'transport failed':
        this.user.transportFailed(this.#error ?? new Error('could not be sent'));
        return;
      case 'send':
        return;
    }
  }

  #transmit(message: Buffer): void {
    this.user.transmit(message, (error) => {
      this.#error = error;
      this.step('transport error', null);
    });
  }

  #acknowledge(response: SipResponse): void {
    if (this.#ack !== null) return this.#transmit(this.#ack);
    this.#ack = this.user.acknowledgement(response);
    if (this.#ack !== null) this.#transmit(this.#ack);
  }

  protected override ended(): void {
    this.#request = null;
    this.#ack = null;
    this.user.clientEnded();
  }
}
