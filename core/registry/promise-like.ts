/** Whether a value has to be waited for. Everything else is used at once, so that synchronous work costs no promise. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
