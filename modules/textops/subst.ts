import {
  errors,
  parseUri,
  printUri,
  type SipMessage,
  type SipRequest,
  subscriberParams,
} from '../../core/index.ts';
import type { Expansion } from './expansion.ts';
import type { Subst } from './subst-expression.ts';
import { type Replacement, replaced, replacementsIn } from './substitute.ts';

type Done = boolean | Promise<boolean>;

/** An empty line would end the head early. */
const EMPTY_LINE = /(?:^|\n)\r?\n/;

/**
 * Substitutes in the header lines, as received; the start line, the body and what was changed before stay. False without a match.
 * @throws ERR_HEADER_LINES when the result would hold an empty line.
 */
export function substHeaders(msg: SipMessage, subst: Subst, expansion: Expansion): Done {
  const { headersStart } = msg;
  const text = msg.head.slice(headersStart, msg.headersEnd);
  const isUntouched = ({ start, end }: Replacement) =>
    !msg.edits.list.some(({ at, removed }) => at < headersStart + end && headersStart + start < at + removed);
  return change(text, subst, expansion, (found) => {
    const replacements = found.filter(isUntouched);
    const result = replaced(text, replacements);
    if (EMPTY_LINE.test(result) || !result.endsWith('\r\n')) {
      throw errors.ERR_HEADER_LINES(
        expansion.caller,
        'the result',
        'complete header lines, none of them empty',
      );
    }
    for (const { start, end, text: instead } of replacements) {
      msg.edits.replace(headersStart + start, headersStart + end, instead);
    }
    return replacements.length > 0;
  });
}

/** Substitutes in the body: the one that a function of this module has set, else the one received. False without a match. */
export function substBody(msg: SipMessage, subst: Subst, expansion: Expansion): Done {
  const text = (msg.newBody ?? msg.body).toString('latin1');
  return change(text, subst, expansion, (replacements) => {
    msg.newBody = Buffer.from(replaced(text, replacements), 'latin1');
    return true;
  });
}

/**
 * Substitutes in the Request-URI. False without a match.
 * @throws ERR_URI_SYNTAX when the result is no URI.
 */
export function substUri(request: SipRequest, subst: Subst, expansion: Expansion): Done {
  const text = request.uri;
  return change(text, subst, expansion, (replacements) => {
    request.uri = checkedUri(expansion.caller, replaced(text, replacements));
    return true;
  });
}

/**
 * Substitutes in the user of the Request-URI, the number of a telephone subscriber. False without a match, and without a user.
 * @throws ERR_URI_SYNTAX when the result would change more than the user.
 */
export function substUser(request: SipRequest, subst: Subst, expansion: Expansion): Done {
  const parsed = request.parsedUri;
  if (!parsed.ok || parsed.value.user === null) return false;
  const old = parsed.value;
  const params = subscriberParams(old);
  const text = parsed.value.user.slice(0, parsed.value.user.length - params.length);
  return change(text, subst, expansion, (replacements) => {
    const user = `${replaced(text, replacements)}${params}`;
    const uri = checkedUri(expansion.caller, printUri({ ...old, user }));
    const read = parseUri(uri);
    if (!read.ok || read.value.user !== user || read.value.host !== old.host) {
      throw errors.ERR_URI_SYNTAX(
        expansion.caller,
        JSON.stringify(uri),
        'the result does not fit the user part',
      );
    }
    request.uri = uri;
    return true;
  });
}

function change(
  text: string,
  subst: Subst,
  expansion: Expansion,
  apply: (replacements: readonly Replacement[]) => boolean,
): Done {
  const finish = (replacements: readonly Replacement[]) => replacements.length > 0 && apply(replacements);
  const replacements = replacementsIn(text, subst, expansion);
  return replacements instanceof Promise ? replacements.then(finish) : finish(replacements);
}

function checkedUri(caller: string, uri: string): string {
  const parsed = parseUri(uri);
  if (!parsed.ok) throw errors.ERR_URI_SYNTAX(caller, JSON.stringify(uri), parsed.reason);
  return uri;
}
