/**
 * A message that may have to be sent again. For as long as a transaction waits it is kept as its latin1 text: a Buffer holds on to the slab that it
 * shares with other messages.
 */
export type KeptMessage = Buffer | string;

/** The form in which a message costs least for as long as a transaction waits. */
export function keptForLong(message: Buffer): KeptMessage {
  return message.toString('latin1');
}

/** The message's bytes, to send it again. */
export function keptBytes(kept: KeptMessage): Buffer {
  return typeof kept === 'string' ? Buffer.from(kept, 'latin1') : kept;
}
