/** What a secret that is not empty prints as. */
const HIDDEN = '[secret]';

/** A text that must not be seen. Wherever one is printed by mistake, as text, as JSON or by `console.log`, the text does not show. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get isEmpty(): boolean {
    return this.#text === '';
  }

  /** The text itself, for the one who has to send it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return this.isEmpty ? '' : HIDDEN;
  }

  toJSON(): string {
    return this.toString();
  }
}
