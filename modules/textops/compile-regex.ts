import { encodeText, errors } from '../../core/index.ts';

/**
 * Compiles a regular expression of a route for byte strings: a char outside ASCII stands for its bytes in UTF-8.
 * @throws ERR_REGEX_SYNTAX, with the name of the function that was given it.
 */
export function compileRegex(caller: string, text: string, flags: string): RegExp {
  try {
    return new RegExp(encodeText(text), flags);
  } catch (error) {
    throw errors.ERR_REGEX_SYNTAX(caller, JSON.stringify(text), String(error));
  }
}
