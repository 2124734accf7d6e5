import {
  inviteServer,
  nonInviteServer,
  responseInput,
  type ServerInput,
  type ServerState,
} from './machines.ts';
import { type MachineUser, RunningMachine } from './running-machine.ts';

/** What a server transaction asks of its surroundings. */
export interface ServerUser extends MachineUser {
  /** Puts a reply on the wire. */
  transmit(reply: Buffer): void;
  /** No ACK came for a final reply (timer H). */
  acknowledgementMissing(): void;
  /** The machine is in its last state: forget it. */
  serverEnded(): void;
}

/** A server transaction: absorbs retransmissions, retransmits final replies to INVITE (RFC 3261 17.2). */
export class ServerTransaction extends RunningMachine<
  ServerState,
  Exclude<ServerInput, 'retry' | 'deadline'>,
  Buffer,
  ServerUser
> {
  #lastReply: Buffer | null = null;

  constructor(user: ServerUser, options: { readonly invite: boolean; readonly reliable: boolean }) {
    const machine = options.invite ? inviteServer : nonInviteServer;
    super(user, machine, {
      state: options.invite ? 'proceeding' : 'trying',
      reliable: options.reliable,
    });
  }

  /** What a retransmission of the request gets; null: nothing. */
  get lastReply(): Buffer | null {
    return this.#lastReply;
  }

  /** Sends a reply through the machine; one that comes too late ends there. */
  reply(status: number, bytes: Buffer): void {
    this.step(responseInput(status), bytes);
  }

  /** A retransmission of the request has come. */
  retransmitted(): void {
    this.step('request', null);
  }

  /** An ACK that matches this INVITE has come. */
  acknowledged(): void {
    this.step('ack', null);
    if (this.state === 'confirmed') this.#lastReply = null;
  }

  transportFailed(): void {
    this.step('transport error', null);
  }

  /** No reply will ever come (RFC 4320 4.2). */
  abandon(): void {
    this.step('silence', null);
  }

  protected override perform(
    action: 'send' | 'resend' | 'ack' | 'to user' | 'timed out' | 'transport failed',
    reply: Buffer | null,
  ): void {
    switch (action) {
      case 'send':
        // A 2xx to INVITE is sent again by the callee, not from here (RFC 6026 7.1).
        this.#lastReply = this.state === 'accepted' ? null : reply;
        if (reply !== null) this.user.transmit(reply);
        return;
      case 'resend':
        if (this.#lastReply === null) return;
        this.user.resending();
        this.user.transmit(this.#lastReply);
        return;
      case 'timed out':
        this.user.acknowledgementMissing();
        return;
      case 'ack':
      case 'to user': // an ACK of a 2xx: its handler runs without this transaction
      case 'transport failed': // logged where it happened
        return;
    }
  }

  protected override ended(): void {
    this.#lastReply = null;
    this.user.serverEnded();
  }
}
