import type { Secret } from '../../core/index.ts';
import { ENCODED_KEY_PREFIX } from './key.ts';

/** Longest user name and password, bytes: a line of memcached's own file (-Y) holds 256. */
const MAX_CREDENTIAL_BYTES = 250;

/** The key that user and password are sent as, which memcached does not look at. None of a route's keys can be it: those that begin like that are digests. */
const LOGIN_KEY = `${ENCODED_KEY_PREFIX}user-and-password`;

/** Longest answer to user and password that is read, bytes. */
export const MAX_ANSWER_BYTES = 1024;

/** What is wrong with a user name, or null. The file that memcached compares with has a colon between it and the password. */
export function userProblem(text: string): string | null {
  return text.includes(':') ? 'a user name has no colon' : problem(text);
}

/** What is wrong with a password, or null. What it is does not show. */
export function passwordProblem(text: string): string | null {
  return problem(text);
}

function problem(text: string): string | null {
  // memcached splits what it gets at spaces, and reads up to the end of the line.
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0020\u007f]/.test(text)) return 'it has a space or a control character';
  return Buffer.byteLength(text) > MAX_CREDENTIAL_BYTES
    ? `it has more than ${MAX_CREDENTIAL_BYTES} bytes`
    : null;
}

/** What a server made of user and password: `more` has to be read for a verdict. */
export type Verdict =
  | { readonly kind: 'more' | 'accepted' }
  | { readonly kind: 'refused'; readonly reason: string };

const MORE: Verdict = { kind: 'more' };

/**
 * User and password of a memcached started with -Y (protocol.txt, "Authentication"): the first command of a connection is a `set` of `user password`.
 * Nothing here, reasons included, shows the password, whatever the server answers.
 */
export class Credentials {
  readonly #user: string;
  readonly #password: Secret;

  constructor(user: string, password: Secret) {
    this.#user = user;
    this.#password = password;
  }

  /**
   * What is sent first. A server that asks for no password takes it for a value like any other: the lifetime below zero has such a server forget it
   * at once, and what the key held before with it.
   */
  command(): Buffer {
    const value = Buffer.from(`${this.#user} ${this.#password.reveal()}`);
    const line = Buffer.from(`set ${LOGIN_KEY} 0 -1 ${value.length}\r\n`);
    return Buffer.concat([line, value, Buffer.from('\r\n')]);
  }

  /** Judges what has been answered so far. The text of an answer is not repeated: there are servers that send back what they got. */
  judge(answer: string): Verdict {
    const end = answer.indexOf('\n');
    if (end === -1) {
      return answer.length <= MAX_ANSWER_BYTES ? MORE : refused('its answer to user and password has no end');
    }
    if (end !== answer.length - 1) return refused('it answers more than was asked');
    const line = answer.slice(0, end).replace(/\r$/, '');
    if (line === 'STORED') return { kind: 'accepted' };
    return refused(
      line === 'CLIENT_ERROR authentication failure'
        ? 'it refuses user and password'
        : 'it does not answer user and password as memcached does',
    );
  }
}

function refused(reason: string): Verdict {
  return { kind: 'refused', reason };
}
