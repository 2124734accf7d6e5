import { type Avps, Slot } from '../../../core/index.ts';
import { FORK_CHARS } from './lease-set.ts';

/** The fork that a transaction is: its AVPs live as long as it does. */
const tokens = new Slot<Avps, string>();

/**
 * Which fork of a call a transaction is. An element before this proxy may send one INVITE on several ways, all with the Call-ID of the call: when
 * one of them is refused, the call's place must not be free while another goes on.
 */
export class Forks {
  readonly #randomToken: (length: number) => string;

  constructor(randomToken: (length: number) => string) {
    this.#randomToken = randomToken;
  }

  /** The fork that this transaction is, from now on. */
  open(avps: Avps): string {
    let token = tokens.get(avps);
    if (token === undefined) {
      token = this.#randomToken(FORK_CHARS);
      tokens.set(avps, token);
    }
    return token;
  }

  /** The fork that this transaction is; null when it has asked for no place, as that of a BYE. */
  of(avps: Avps): string | null {
    return tokens.get(avps) ?? null;
  }
}
