/** What a connection writes to: a socket, or a WebSocket on one. */
export interface Wire {
  /** Calls `done` once the system took the bytes, or with what kept it from it; not before `write` returns. */
  write(bytes: Buffer, done: (error?: Error | null) => void): void;
  /** Ends the connection in good order, once what was written has gone. */
  end(): void;
  /** Ends it at once. `reason` is why, for senders whose messages had not gone. */
  destroy(reason: Error): void;
  /** Whether the peer has proved to be this host; always so where the protocol proves nothing. */
  identifies(host: string): boolean;
}

/** What a wire tells its connection. Nothing comes after `closed`. */
export interface WireUser {
  /** It can be written to. */
  opened(): void;
  message(bytes: Buffer): void;
  /** The peer asked for an answer, or gave one; `answer`: it waits for a CRLF. */
  alive(answer: boolean): void;
  /** The rest of the stream cannot be followed. `head`: that of the message at fault, if there is one. */
  fault(reason: string, head: Buffer | null): void;
  /** Bytes have been read; `partial`: the last of them begin a message that is not whole. */
  progress(partial: boolean): void;
  /** The peer sends no more. */
  end(): void;
  /** It is gone; `error` is null when it ended in good order. */
  closed(error: Error | null): void;
}
