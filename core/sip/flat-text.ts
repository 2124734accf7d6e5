/**
 * The same text in a string of its own. V8 keeps a concatenation as a tree of its parts, which may be slices that hold on to a whole message for as
 * long as the text lives; reading a char makes it one string.
 */
export function flatText(text: string): string {
  text.charCodeAt(0);
  return text;
}
