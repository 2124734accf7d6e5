import { BoundedCache } from '../../core/index.ts';
import { compileRegex } from './compile-regex.ts';
import { parseSubst, type Subst } from './subst-expression.ts';

/** Most regular expressions, and most substitutions, kept compiled. Routes name a few dozen; more come only when they build them at run time. */
export const MAX_COMPILED = 256;

/** The regular expressions and substitutions of routes, compiled once. */
export class Patterns {
  readonly #regexes = new BoundedCache<RegExp>(MAX_COMPILED);
  readonly #substs = new BoundedCache<Subst>(MAX_COMPILED);

  /**
   * As in Kamailio it matches any case, and ^ and $ match at line ends.
   * @throws ERR_REGEX_SYNTAX, with the name of the function that was given it.
   */
  regex(caller: string, text: string): RegExp {
    let regex = this.#regexes.get(text);
    if (regex === undefined) {
      regex = compileRegex(caller, text, 'im');
      this.#regexes.set(text, regex);
    }
    return regex;
  }

  /** @throws ERR_SUBST_SYNTAX, ERR_REGEX_SYNTAX. */
  subst(caller: string, expression: string): Subst {
    let subst = this.#substs.get(expression);
    if (subst === undefined) {
      subst = parseSubst(caller, expression);
      this.#substs.set(expression, subst);
    }
    return subst;
  }
}
