import { encodeText, errors, type FormatService, type Scope, shownTyped } from '../../core/index.ts';

/** Where text with variables is expanded: for whom, and with what. */
export interface Expansion {
  readonly formats: FormatService;
  readonly scope: Scope;
  /** Name of the function that was given the text, for errors. */
  readonly caller: string;
  /** Whether values may bring line breaks: into a body they may, into a head they would start a header of their own. */
  readonly lineBreaks: 'allowed' | 'refused';
}

/**
 * Expands the variables in a text and hands the bytes to `use`, at once when nothing has to wait.
 * @throws ERR_TEXT_TYPE, ERR_TEXT_LINE_BREAK when a variable's value brings a line break that is refused.
 */
export function expandThen<T>(text: string, expansion: Expansion, use: (bytes: string) => T): T | Promise<T> {
  if (typeof text !== 'string') throw errors.ERR_TEXT_TYPE(expansion.caller, shownTyped(text));
  if (!text.includes('$')) return use(encodeText(text));
  const finish = (expanded: string): T => {
    if (expansion.lineBreaks === 'refused' && countLineBreaks(expanded) !== countLineBreaks(text)) {
      throw errors.ERR_TEXT_LINE_BREAK(expansion.caller, `a value of ${JSON.stringify(text)}`);
    }
    return use(encodeText(expanded));
  };
  const expanded = expansion.formats.expand(expansion.scope, text);
  return typeof expanded === 'string' ? finish(expanded) : expanded.then(finish);
}

function countLineBreaks(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i += 1) if (text[i] === '\r' || text[i] === '\n') count += 1;
  return count;
}
