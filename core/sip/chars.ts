/** Kinds of characters of the grammar (RFC 3261 25.1), as bits to test against `CHAR_KINDS`. */
export const CharKind = {
  token: 1,
  alpha: 2,
  digit: 4,
  hex: 8,
  /** user: unreserved and user-unreserved. */
  user: 16,
  /** password. */
  password: 32,
  /** uri-parameter: paramchar, and `=`, which is widely sent inside values. */
  uriParam: 64,
  /** headers behind `?`: unreserved, hnv-unreserved, `&` and `=`. */
  uriHeaders: 128,
  /** hostname, and `_`, which names in private networks hold. */
  host: 256,
  /** telephone-subscriber (RFC 3966 3): digits, visual separators, `+ * #` and hex letters. */
  telephone: 512,
  scheme: 1024,
  unreserved: 2048,
  /** What ends a parameter's value: white space, `;`, `,`, and what can stand neither in a token nor in a host. */
  endsValue: 4096,
} as const;

const ALPHA = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const DIGIT = '0123456789';
const UNRESERVED = `${ALPHA}${DIGIT}-_.!~*'()`;

const KIND_MEMBERS: readonly (readonly [number, string])[] = [
  [CharKind.token, `${ALPHA}${DIGIT}-.!%*_+\`'~`],
  [CharKind.alpha, ALPHA],
  [CharKind.digit, DIGIT],
  [CharKind.hex, `${DIGIT}abcdefABCDEF`],
  [CharKind.user, `${UNRESERVED}&=+$,;?/`],
  [CharKind.password, `${UNRESERVED}&=+$,`],
  [CharKind.uriParam, `${UNRESERVED}[]/:&+$=`],
  [CharKind.uriHeaders, `${UNRESERVED}[]/?:+$&=`],
  [CharKind.host, `${ALPHA}${DIGIT}-._`],
  [CharKind.telephone, `${DIGIT}abcdefABCDEF+*#-.()`],
  [CharKind.scheme, `${ALPHA}${DIGIT}+-.`],
  [CharKind.unreserved, UNRESERVED],
  [CharKind.endsValue, ' \t\r\n;,"<>'],
];

/** Kinds of each byte. */
export const CHAR_KINDS: Uint16Array = new Uint16Array(256);
for (const [kind, members] of KIND_MEMBERS) {
  for (let i = 0; i < members.length; i++) CHAR_KINDS[members.charCodeAt(i)]! |= kind;
}

/** Whether the char at `at` is of one of these kinds; false beyond the end and above U+00FF. */
export function isKind(text: string, at: number, kinds: number): boolean {
  const code = text.charCodeAt(at);
  return code < 256 && (CHAR_KINDS[code]! & kinds) !== 0;
}

/** Whether a char is white space of the grammar; CR and LF count, since inside a value they only stand in folds. */
export function isLws(code: number): boolean {
  return code <= 0x20 && (code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a);
}

/** Offset of the first char from `at` that is not white space, at most `limit`. */
function skipLws(text: string, at: number, limit: number): number {
  let i = at;
  while (i < limit && isLws(text.charCodeAt(i))) i++;
  return i;
}

/** Offset behind the last char before `end` that is not white space, at least `start`. */
function trimLws(text: string, start: number, end: number): number {
  let i = end;
  while (i > start && isLws(text.charCodeAt(i - 1))) i--;
  return i;
}

/** Offset behind the run of token chars at `at`. */
export function skipToken(text: string, at: number, limit: number): number {
  let i = at;
  while (i < limit && isKind(text, i, CharKind.token)) i++;
  return i;
}

/** Offset behind the run of digits at `at`. */
export function skipDigits(text: string, at: number, limit: number): number {
  let i = at;
  while (i < limit && isKind(text, i, CharKind.digit)) i++;
  return i;
}

/** Whether a text is a token (RFC 3261 25.1): a method, header name or option tag. */
export function isToken(text: string): boolean {
  return text !== '' && skipToken(text, 0, text.length) === text.length;
}

/** The text with each fold, and the white space around it, as one space (RFC 3261 7.3.1). */
export function unfold(text: string): string {
  let fold = text.indexOf('\r');
  if (fold < 0) return text;
  let unfolded = '';
  let at = 0;
  while (fold >= 0) {
    unfolded += `${text.slice(at, trimLws(text, at, fold))} `;
    at = skipLws(text, fold, text.length);
    fold = text.indexOf('\r', at);
  }
  return unfolded + text.slice(at);
}

/** Reads an unsigned decimal number that fills [start, end): -1 when it is none, `cap` when it is `cap` or more. */
export function readDecimal(text: string, start: number, end: number, cap: number): number {
  if (start >= end) return -1;
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = Math.min(number * 10 + digit, cap);
  }
  return number;
}
