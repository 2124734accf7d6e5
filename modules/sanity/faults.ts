/** Why a request does not pass, and the reply that says so. */
export interface Fault {
  readonly code: 400 | 416 | 420 | 505;
  /** Reason phrase of the reply. */
  readonly reason: string;
  /** Complete header lines for the reply, a byte string; '' for none. */
  readonly headers: string;
}

/** A fault answered with 400. */
export function badRequest(reason: string): Fault {
  return { code: 400, reason: `Bad Request (${reason})`, headers: '' };
}
