/** What every branch parameter of RFC 3261 begins with (8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

/** Whether a branch parameter is one that names its transaction: with the cookie alone it says nothing, as one without it (RFC 4475 3.2.1). */
export function hasMagicCookie(branch: string | null): branch is string {
  return branch !== null && branch.length > MAGIC_COOKIE.length && branch.startsWith(MAGIC_COOKIE);
}
