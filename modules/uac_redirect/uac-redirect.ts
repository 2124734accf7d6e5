import { type Call, defineModule, errors, param, type SipRequest } from '../../core/index.ts';
import { type FilterKind, filterOf, type Reset, RESETS } from './filters.ts';
import { limitsOf, Redirects } from './redirects.ts';

type RedirectCall = Call<Redirects, SipRequest>;

const FAILURE = ['failure'] as const;

function regexFault(text: string): string | null {
  try {
    filterOf('the filter', text);
    return null;
  } catch (error) {
    return String(error);
  }
}

function setFilter(
  call: RedirectCall,
  kind: FilterKind,
  { filter, flags }: { filter: string; flags: string },
): boolean {
  const caller = `set_${kind}_filter`;
  const reset = RESETS.find((known) => known === flags);
  if (reset === undefined)
    throw errors.ERR_UAC_REDIRECT_VALUE(
      caller,
      `one of ${RESETS.map((each) => `'${each}'`).join(', ')}`,
      JSON.stringify(flags),
    );
  return call.state.filtersOf(call)?.add(kind, filterOf(caller, filter), reset) ?? false;
}

/** Follows redirects. */
export const uacRedirect = defineModule({
  name: 'uac_redirect',
  doc: 'Follows redirects: the contacts of a 3xx become branches of the request (RFC 3261 16.7 step 4).',
  depends: ['tm'],
  params: {
    default_filter: param.oneOf(['accept', 'deny'], {
      default: 'accept',
      doc: 'What happens to a contact that no filter matches.',
    }),
    accept_filter: param.string({
      default: '',
      doc: 'Regular expression: contacts whose URI matches are followed, whatever else; empty: none.',
      check: regexFault,
      expected: 'a regular expression',
    }),
    deny_filter: param.string({
      default: '',
      doc: 'Regular expression: contacts whose URI matches are not followed, where default_filter is accept; empty: none.',
      check: regexFault,
      expected: 'a regular expression',
    }),
    q_value: param.int({
      default: 10,
      min: 0,
      max: 1_000,
      unit: 'count',
      doc: 'Preference of contacts without a q, in thousandths.',
    }),
  },
  init({ params, deps, log }): Redirects {
    const { accept_filter: accept, deny_filter: deny } = params;
    return new Redirects({
      tm: deps.tm,
      defaults: {
        rule: params.default_filter,
        accept: accept === '' ? null : filterOf('accept_filter', accept),
        deny: deny === '' ? null : filterOf('deny_filter', deny),
      },
      noQ: params.q_value / 1_000,
      log,
    });
  },
  pseudoVariables: {},
  functions: {
    get_redirects: {
      on: 'request',
      routes: FAILURE,
      doc: 'Appends the contacts of all 3xx that came as destinations, for t_relay, highest q first: `max` says how many, in all and, behind a colon, of each 3xx; `*` or 0: all. Those that have been tried already are left out, and so are those that the filters keep. False: there is none.',
      signature: '(max: number | string): boolean',
      call: (call: RedirectCall, max: number | string): boolean => call.state.take(call, limitsOf(max)),
    },
    set_accept_filter: {
      on: 'request',
      routes: FAILURE,
      doc: 'Adds an accept filter for this request; `flags` puts away those there are: `reset_default` that of the parameter, `reset_added` those added, `reset_all` both. False: it has five already.',
      signature: "(filter: string, flags?: '' | 'reset_all' | 'reset_default' | 'reset_added'): boolean",
      call: (call: RedirectCall, filter: string, flags: Reset = ''): boolean =>
        setFilter(call, 'accept', { filter, flags }),
    },
    set_deny_filter: {
      on: 'request',
      routes: FAILURE,
      doc: 'The same for deny filters.',
      signature: "(filter: string, flags?: '' | 'reset_all' | 'reset_default' | 'reset_added'): boolean",
      call: (call: RedirectCall, filter: string, flags: Reset = ''): boolean =>
        setFilter(call, 'deny', { filter, flags }),
    },
  },
});

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    uac_redirect: typeof uacRedirect;
  }
}
