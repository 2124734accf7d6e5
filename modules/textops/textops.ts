import { type Call, type CoreServices, defineModule } from '../../core/index.ts';
import { hasBody, setBody } from './bodies.ts';
import { type Expansion, expandThen } from './expansion.ts';
import { headerLines } from './header-lines.ts';
import { appendLines, insertLines, removeMatching, removeNamed } from './headers.ts';
import { Patterns } from './patterns.ts';
import { substBody, substHeaders, substUri, substUser } from './subst.ts';

/** What the functions of this module need and know. */
export interface TextopsState {
  readonly core: CoreServices;
  readonly patterns: Patterns;
}

/** Reads and changes headers and bodies as text. Reading sees a message as received, whatever was changed (Kamailio: lumps). */
export const textops = defineModule({
  name: 'textops',
  doc: 'Searches and changes headers and bodies as text.',
  depends: [],
  params: {},
  init: ({ core }): TextopsState => ({ core, patterns: new Patterns() }),
  pseudoVariables: {},
  functions: {
    append_hf: {
      on: 'any',
      expands: true,
      doc: 'Adds complete header lines behind all others, or behind the first header named `after`. Variables in the text are expanded.',
      signature: '(text: string, after?: string): boolean | Promise<boolean>',
      call: (call, text: string, after?: string) =>
        withLines(call, 'append_hf', text, (lines) => appendLines(call.msg, lines, after)),
    },
    insert_hf: {
      on: 'any',
      expands: true,
      doc: 'Adds complete header lines above all others, or above the first header named `before`. Variables in the text are expanded.',
      signature: '(text: string, before?: string): boolean | Promise<boolean>',
      call: (call, text: string, before?: string) =>
        withLines(call, 'insert_hf', text, (lines) => insertLines(call.msg, lines, before)),
    },
    append_to_reply: {
      on: 'request',
      expands: true,
      doc: 'Adds complete header lines to the replies that this run of the handler sends. Variables in the text are expanded.',
      signature: '(text: string): boolean | Promise<boolean>',
      call: (call, text: string) =>
        withLines(call, 'append_to_reply', text, (lines) => {
          call.scope.replyHeaders += lines;
        }),
    },
    remove_hf: {
      on: 'any',
      doc: 'Removes every header of this name, compact or long, in any case. False when there is none.',
      signature: '(name: string): boolean',
      call: ({ msg }, name: string): boolean => removeNamed(msg, name),
    },
    remove_hf_re: {
      on: 'any',
      doc: 'Removes every header whose name matches a regular expression. False when none does.',
      signature: '(regex: string): boolean',
      call: ({ msg, state }, regex: string): boolean =>
        removeMatching(msg, state.patterns.regex('remove_hf_re', regex)),
    },
    is_present_hf: {
      on: 'any',
      doc: 'Whether the message has a header of this name, compact or long, in any case.',
      signature: '(name: string): boolean',
      call: ({ msg }, name: string): boolean => msg.findName(name) !== -1,
    },

    search: {
      on: 'any',
      doc: 'Whether the whole message matches a regular expression.',
      signature: '(regex: string): boolean',
      call: ({ msg, state }, regex: string): boolean =>
        state.patterns.regex('search', regex).test(msg.wholeText()),
    },
    search_body: {
      on: 'any',
      doc: 'Whether the body matches a regular expression.',
      signature: '(regex: string): boolean',
      call: ({ msg, state }, regex: string): boolean =>
        state.patterns.regex('search_body', regex).test(msg.body.toString('latin1')),
    },
    subst: {
      on: 'any',
      doc: 'Substitutes `/regex/replacement/flags` in the header lines; the start line, the body and what was changed before stay. False without a match.',
      signature: '(expression: string): boolean | Promise<boolean>',
      call: (call, expression: string) =>
        substHeaders(
          call.msg,
          call.state.patterns.subst('subst', expression),
          expansionFor(call, 'subst', 'refused'),
        ),
    },
    subst_body: {
      on: 'any',
      doc: 'Substitutes `/regex/replacement/flags` in the body: the one set by this module, else the one received. False without a match.',
      signature: '(expression: string): boolean | Promise<boolean>',
      call: (call, expression: string) =>
        substBody(
          call.msg,
          call.state.patterns.subst('subst_body', expression),
          expansionFor(call, 'subst_body', 'allowed'),
        ),
    },
    subst_uri: {
      on: 'request',
      doc: 'Substitutes `/regex/replacement/flags` in the Request-URI. False without a match.',
      signature: '(expression: string): boolean | Promise<boolean>',
      call: (call, expression: string) =>
        substUri(
          call.msg,
          call.state.patterns.subst('subst_uri', expression),
          expansionFor(call, 'subst_uri', 'refused'),
        ),
    },
    subst_user: {
      on: 'request',
      doc: 'Substitutes `/regex/replacement/flags` in the user of the Request-URI. False without a match, and without a user.',
      signature: '(expression: string): boolean | Promise<boolean>',
      call: (call, expression: string) =>
        substUser(
          call.msg,
          call.state.patterns.subst('subst_user', expression),
          expansionFor(call, 'subst_user', 'refused'),
        ),
    },

    has_body: {
      on: 'any',
      doc: 'Whether the message has a body, of the media type named if one is.',
      signature: '(type?: string): boolean',
      call: ({ msg }, type?: string): boolean => hasBody(msg, type),
    },
    set_body: {
      on: 'any',
      doc: 'Replaces the body, and Content-Type with it. The text is taken as it is.',
      signature: '(text: string, contentType: string): boolean',
      call: ({ msg }, text: string, contentType: string): boolean => {
        setBody(msg, text, contentType);
        return true;
      },
    },
  },
});

function expansionFor(
  { scope, state }: Call<TextopsState>,
  caller: string,
  lineBreaks: 'allowed' | 'refused',
): Expansion {
  return { formats: state.core.formats, scope, caller, lineBreaks };
}

function withLines(
  call: Call<TextopsState>,
  caller: string,
  text: string,
  use: (lines: string) => void,
): boolean | Promise<boolean> {
  return expandThen(text, expansionFor(call, caller, 'refused'), (bytes) => {
    use(headerLines(caller, bytes));
    return true;
  });
}

declare module '../../core/registry/module.ts' {
  interface ModuleRegistry {
    textops: typeof textops;
  }
}
