/**
 * The four transaction machines as tables: `state: { input: go(next state, effects...) }`.
 *
 * Figures 5 to 8 of RFC 3261 17, figures 5 and 7 as RFC 6026 replaces them. A cell that is left out of a figure because nothing happens there is
 * written out as `stay`; one that cannot come about is `never` and throws. Effects named by one letter start that timer.
 */

export type TimerName = 'A' | 'B' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M';

export type Effect = TimerName | Action;

/** What a machine does besides starting a timer. */
export type Action =
  /** Stops retransmitting (timer A, E or G). */
  | 'stop retry'
  /** Stops the deadline (timer B). */
  | 'stop deadline'
  /** Sends what the transaction user gave. */
  | 'send'
  /** Sends once more what was sent last. */
  | 'resend'
  /** Sends the ACK of a final response other than 2xx (17.1.1.3). */
  | 'ack'
  /** Hands the message to the transaction user. */
  | 'to user'
  | 'timed out'
  | 'transport failed';

interface Cell<State extends string> {
  readonly to: State;
  readonly effects: readonly Effect[];
}

/** Nothing happens. */
const stay = null;
/** The input cannot come about in this state. */
const never = undefined;

export type Machine<State extends string, Input extends string> = {
  readonly [S in State]: { readonly [I in Input]: Cell<State> | typeof stay | typeof never };
};

/** A machine as what runs it sees it: some states may not be its own. */
export type Table<State extends string, Input extends string> = Partial<Machine<State, Input>>;

function go<State extends string>(to: State, ...effects: readonly Effect[]): Cell<State> {
  return { to, effects };
}

/** Which class of response an input is (RFC 3261 7.2). */
export type ResponseInput = 'provisional' | 'success' | 'failure';

/** @returns the machine input for a status code, 100 to 699. */
export function responseInput(status: number): ResponseInput {
  if (status < 200) return 'provisional';
  return status < 300 ? 'success' : 'failure';
}

export type ClientState = 'calling' | 'trying' | 'proceeding' | 'accepted' | 'completed' | 'terminated';
export type ClientInput = ResponseInput | 'retry' | 'deadline' | 'transport error';

/** INVITE client transaction (RFC 3261 17.1.1.2, figure 5; RFC 6026 8.4). */
export const inviteClient: Machine<Exclude<ClientState, 'trying'>, ClientInput> = {
  calling: {
    provisional: go('proceeding', 'stop retry', 'stop deadline', 'to user'),
    success: go('accepted', 'stop retry', 'M', 'to user'),
    failure: go('completed', 'stop retry', 'D', 'ack', 'to user'),
    retry: go('calling', 'resend', 'A'),
    deadline: go('terminated', 'timed out'), // timer B
    'transport error': go('terminated', 'transport failed'),
  },
  proceeding: {
    provisional: go('proceeding', 'to user'),
    success: go('accepted', 'M', 'to user'),
    failure: go('completed', 'D', 'ack', 'to user'),
    retry: never,
    deadline: never,
    'transport error': stay, // a late report of a send: the request has arrived
  },
  accepted: {
    provisional: stay,
    success: go('accepted', 'to user'),
    failure: stay,
    retry: never,
    deadline: go('terminated'), // timer M
    'transport error': stay,
  },
  completed: {
    provisional: stay,
    success: stay,
    failure: go('completed', 'ack'),
    retry: never,
    deadline: go('terminated'), // timer D
    'transport error': stay, // Not figure 5, which ends here: RFC 6026 7.1's reason holds, late responses stay absorbed
  },
  terminated: {
    provisional: stay,
    success: stay,
    failure: stay,
    retry: never,
    deadline: never,
    'transport error': stay,
  },
};

/** Non-INVITE client transaction (RFC 3261 17.1.2.2, figure 6). */
export const nonInviteClient: Machine<Exclude<ClientState, 'calling' | 'accepted'>, ClientInput> = {
  trying: {
    provisional: go('proceeding', 'to user'),
    success: go('completed', 'stop retry', 'K', 'to user'),
    failure: go('completed', 'stop retry', 'K', 'to user'),
    retry: go('trying', 'resend', 'E'),
    deadline: go('terminated', 'timed out'), // timer F
    'transport error': go('terminated', 'transport failed'),
  },
  proceeding: {
    provisional: go('proceeding', 'to user'),
    success: go('completed', 'stop retry', 'K', 'to user'),
    failure: go('completed', 'stop retry', 'K', 'to user'),
    retry: go('proceeding', 'resend', 'E'),
    deadline: go('terminated', 'timed out'), // timer F
    'transport error': go('terminated', 'transport failed'),
  },
  completed: {
    provisional: stay,
    success: stay,
    failure: stay,
    retry: never,
    deadline: go('terminated'), // timer K
    'transport error': stay,
  },
  terminated: {
    provisional: stay,
    success: stay,
    failure: stay,
    retry: never,
    deadline: never,
    'transport error': stay,
  },
};

export type ServerState = 'trying' | 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';
/** `silence`: the transaction user will never answer (RFC 4320 4.2). */
export type ServerInput =
  | ResponseInput
  | 'request'
  | 'ack'
  | 'retry'
  | 'deadline'
  | 'transport error'
  | 'silence';

/** INVITE server transaction (RFC 3261 17.2.1, figure 7; RFC 6026 8.7). */
export const inviteServer: Machine<Exclude<ServerState, 'trying'>, ServerInput> = {
  proceeding: {
    provisional: go('proceeding', 'send'),
    success: go('accepted', 'send', 'L'),
    failure: go('completed', 'send', 'G', 'H'),
    request: go('proceeding', 'resend'),
    ack: stay, // nothing was answered yet
    retry: never,
    deadline: never,
    'transport error': go('proceeding', 'transport failed'),
    silence: go('terminated'),
  },
  accepted: {
    provisional: stay,
    success: go('accepted', 'send'),
    failure: stay,
    request: stay,
    ack: go('accepted', 'to user'),
    retry: never,
    deadline: go('terminated'), // timer L
    'transport error': go('accepted', 'transport failed'),
    silence: stay,
  },
  completed: {
    provisional: stay,
    success: stay,
    failure: stay,
    request: go('completed', 'resend'),
    ack: go('confirmed', 'stop retry', 'I'),
    retry: go('completed', 'resend', 'G'),
    deadline: go('terminated', 'timed out'), // timer H
    'transport error': go('completed', 'transport failed'),
    silence: stay,
  },
  confirmed: {
    provisional: stay,
    success: stay,
    failure: stay,
    request: stay,
    ack: stay,
    retry: never,
    deadline: go('terminated'), // timer I
    'transport error': stay,
    silence: stay,
  },
  terminated: {
    provisional: stay,
    success: stay,
    failure: stay,
    request: stay,
    ack: stay,
    retry: never,
    deadline: never,
    'transport error': stay,
    silence: stay,
  },
};

/** Non-INVITE server transaction (RFC 3261 17.2.2, figure 8; RFC 4320 4.2). */
export const nonInviteServer: Machine<Exclude<ServerState, 'accepted' | 'confirmed'>, ServerInput> = {
  trying: {
    provisional: go('proceeding', 'send'),
    success: go('completed', 'send', 'J'),
    failure: go('completed', 'send', 'J'),
    request: stay,
    ack: stay,
    retry: never,
    deadline: never,
    'transport error': never,
    silence: go('completed', 'J'),
  },
  proceeding: {
    provisional: go('proceeding', 'send'),
    success: go('completed', 'send', 'J'),
    failure: go('completed', 'send', 'J'),
    request: go('proceeding', 'resend'),
    ack: stay,
    retry: never,
    deadline: never,
    // Not figure 8, which ends the transaction: what RFC 6026 7.1 says of INVITE holds here as well
    'transport error': go('proceeding', 'transport failed'),
    silence: go('completed', 'J'),
  },
  completed: {
    provisional: stay,
    success: stay,
    failure: stay,
    request: go('completed', 'resend'),
    ack: stay,
    retry: never,
    deadline: go('terminated'), // timer J
    'transport error': go('completed', 'transport failed'),
    silence: stay,
  },
  terminated: {
    provisional: stay,
    success: stay,
    failure: stay,
    request: stay,
    ack: stay,
    retry: never,
    deadline: never,
    'transport error': stay,
    silence: stay,
  },
};
