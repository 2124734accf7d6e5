/** Strings, which stay, and comments, which go, in the order in which they come. */
const STRING_OR_COMMENT = /(["'`])(?:\\[\s\S]|(?!\1)[^\\])*?\1|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** The source text of a function with blanks in the place of its comments, so that all else stands where it stood. */
export function withoutComments(source: string): string {
  return source.replace(STRING_OR_COMMENT, (text) => (text.startsWith('/') ? ' '.repeat(text.length) : text));
}
