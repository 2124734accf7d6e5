import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLER, request } from '../modules/tm/messages.ts';
import { proxyRig } from '../proxy-rig.ts';

/** `ksr` and `pv` for routes whose types nobody checks. */
interface Untyped {
  readonly ksr: Readonly<Record<string, Readonly<Record<string, (...args: readonly unknown[]) => unknown>>>>;
  readonly pv: Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
}

/** Code and text of the error in the log of a handler that does this, without its place. */
async function errorOf(handler: (context: Untyped) => unknown): Promise<string> {
  const rig = await proxyRig({ uses: ['pv', 'sl', 'tm', 'textops', 'xlog'], request: handler });
  await rig.receive(request(), CALLER);
  const line = rig.log.lines.find(({ level }) => level === 'error');
  return `${String(line?.fields['code'])}: ${line?.message.replace(/^handler request failed at \S+: /, '')}`;
}

const FAULTS: readonly (readonly [string, (context: Untyped) => unknown, string])[] = [
  [
    'a function apart from its module',
    ({ ksr }) => ksr['sl']?.['sl_send_reply']?.call(undefined, 404, 'x'),
    'ERR_ROUTE_DETACHED: sl_send_reply was called apart from what it belongs to: write ksr.sl.sl_send_reply(...)',
  ],
  [
    'a function on another object',
    ({ ksr }) => ksr['tm']?.['t_relay']?.call({}),
    'ERR_ROUTE_DETACHED: t_relay was called apart from what it belongs to: write ksr.tm.t_relay(...)',
  ],
  [
    'a variable apart from pv',
    ({ pv }) => pv['$hdr']?.call(undefined, 'Via'),
    'ERR_ROUTE_DETACHED: $hdr was called apart from what it belongs to: write pv.$hdr',
  ],
  [
    'a code that is text',
    ({ ksr }) => ksr['sl']?.['sl_send_reply']?.('404', 'x'),
    "ERR_REPLY_CODE: sl_send_reply: expected a reply code from 100 to 699, found '404'",
  ],
  [
    'a code that is text, with state',
    ({ ksr }) => ksr['tm']?.['t_reply']?.('404', 'x'),
    "ERR_REPLY_CODE: t_reply: expected a reply code from 100 to 699, found '404'",
  ],
  [
    'no reason',
    ({ ksr }) => ksr['sl']?.['sl_send_reply']?.(404),
    'ERR_TEXT_TYPE: what goes into a message: expected a text, found undefined',
  ],
  [
    'no reason, with state',
    ({ ksr }) => ksr['tm']?.['t_reply']?.(404),
    'ERR_TEXT_TYPE: t_reply: expected a text, found undefined',
  ],
  [
    'no text for a header',
    ({ ksr }) => ksr['textops']?.['append_hf']?.(7),
    'ERR_TEXT_TYPE: append_hf: expected a text, found 7',
  ],
  [
    'no name of a variable',
    ({ ksr }) => ksr['pv']?.['get']?.(),
    'ERR_TEXT_TYPE: a text with pseudo-variables: expected a text, found undefined',
  ],
  [
    'no format',
    ({ ksr }) => ksr['xlog']?.['xinfo']?.(),
    'ERR_TEXT_TYPE: a line was not written: a text with pseudo-variables: expected a text, found undefined',
  ],
];
for (const [name, handler, expected] of FAULTS) {
  test(`routes: ${name} is told in words of the routes`, async () => {
    assert.equal(await errorOf(handler), expected);
  });
}
