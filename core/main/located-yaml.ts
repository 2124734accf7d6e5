import { dirname } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { errors, type Place, type ProxyError } from '../errors.ts';
import { type Environment, type ReferenceProblem, substitute } from './environment.ts';

/** A value of a YAML file, and where it stands. */
export type Located = LocatedScalar | LocatedList | LocatedMap;

interface LocatedScalar {
  readonly kind: 'scalar';
  readonly value: unknown;
  readonly place: Place;
  /** Whether part of the text came from the environment or from a file: it may then stand for a number too, and be a secret. */
  readonly substituted: boolean;
  /** Whether a reference in it leads nowhere, which has been told: nothing more is to be said of the value. */
  readonly unresolved: boolean;
  /** The value as the YAML file has it. */
  readonly written: unknown;
}
interface LocatedList {
  readonly kind: 'list';
  readonly items: readonly Located[];
  readonly place: Place;
}
export interface LocatedMap {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, { readonly keyPlace: Place; readonly value: Located }>;
  readonly place: Place;
}

/** A hint where a mistake begins at the brace of a `${NAME}`: within { } and [ ] it is no plain text to YAML. */
function quotesHint(text: string, offset: number): string {
  return text.startsWith('${', offset - 1) ? '; within { } and [ ] put quotes around a ${NAME}' : '';
}

/** Values that a file may hold, those counted that stand there by an alias: aliases of aliases multiply. */
const MAX_VALUES = 100_000;

/** A YAML file as located values; null when it is empty or not YAML. `mistakes` grows with what is wrong in it. */
export function readYaml(
  text: string,
  { file, environment, mistakes }: { file: string; environment: Environment; mistakes: ProxyError[] },
): Located | null {
  const lines = new LineCounter();
  // Duplicate keys are found below, where the message can name the key.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  for (const { code, message, pos } of document.errors) {
    const told = code === 'MULTIPLE_DOCS' ? 'expected one document, found a second one after ---' : message;
    mistakes.push(errors.ERR_CONFIG_SYNTAX.at(placeAt(pos[0]), `${told}${quotesHint(text, pos[0])}`));
  }
  if (document.errors.length > 0 || document.contents === null) return null;

  const folder = dirname(file);
  const entered = new Set<Node>();
  const placeOf = (node: Node | null): Place => placeAt(node?.range?.[0] ?? 0);

  let values = 0;
  const nothing = (place: Place): LocatedScalar => locateScalar(null, place);

  function locate(node: Node | null, parent: Place): Located {
    const place = node === null ? parent : placeOf(node);
    values += 1;
    if (values > MAX_VALUES) {
      if (values === MAX_VALUES + 1)
        mistakes.push(
          errors.ERR_CONFIG_SYNTAX.at(place, `there are more than ${MAX_VALUES} values, aliases included`),
        );
      return nothing(place);
    }
    if (isAlias(node)) return locateAlias(node.source, node.resolve(document) ?? null, place);
    if (isMap<Node, Node | null>(node)) return locateMap(node.items, place);
    if (isSeq<Node | null>(node))
      return { kind: 'list', items: node.items.map((item) => locate(item, place)), place };
    return locateScalar(isScalar(node) ? node.value : null, place);
  }

  function locateScalar(value: unknown, place: Place): LocatedScalar {
    if (typeof value !== 'string')
      return { kind: 'scalar', value, place, substituted: false, unresolved: false, written: value };
    const { text: found, substituted, problems } = substitute(value, { environment, folder });
    for (const problem of problems) mistakes.push(referenceError(problem, place));
    const unresolved = problems.length > 0;
    return { kind: 'scalar', value: found, place, substituted, unresolved, written: value };
  }

  function locateAlias(name: string, target: Node | null, place: Place): Located {
    if (target !== null && !entered.has(target)) {
      entered.add(target);
      const located = locate(target, place);
      entered.delete(target);
      return { ...located, place };
    }
    mistakes.push(errors.ERR_CONFIG_SYNTAX.at(place, `the alias *${name} leads nowhere or into itself`));
    return nothing(place);
  }

  function locateMap(
    pairs: readonly { readonly key: Node; readonly value: Node | null }[],
    place: Place,
  ): LocatedMap {
    const entries = new Map<string, { keyPlace: Place; value: Located }>();
    for (const { key, value } of pairs) {
      const keyPlace = placeOf(key);
      const name = isScalar(key) ? String(key.value) : String(key);
      const first = entries.get(name);
      if (first === undefined) entries.set(name, { keyPlace, value: locate(value, keyPlace) });
      else mistakes.push(errors.ERR_CONFIG_DUPLICATE.at(keyPlace, 'key', name, first.keyPlace.line));
    }
    return { kind: 'map', entries, place };
  }

  return locate(document.contents, placeAt(0));
}

function referenceError(problem: ReferenceProblem, place: Place): ProxyError {
  const { kind, text } = problem;
  if (kind === 'missing') return errors.ERR_CONFIG_ENVIRONMENT.at(place, text, text, text);
  if (kind === 'unreadable') return errors.ERR_CONFIG_FILE.at(place, text, problem.reason);
  const expected = '${NAME}, ${NAME:-default} or ${file:PATH}, or $${ for the two characters';
  return errors.ERR_CONFIG_VALUE.at(place, 'environment', text, expected);
}

/** A located value as plain data. */
export function plain(located: Located): unknown {
  return dataOf(located, ({ value }) => value);
}

/** The same as the YAML file has it, references to variables and files unresolved: what may be shown. */
export function asWritten(located: Located): unknown {
  return dataOf(located, ({ written }) => written);
}

function dataOf(located: Located, take: (scalar: LocatedScalar) => unknown): unknown {
  if (located.kind === 'scalar') return take(located);
  if (located.kind === 'list') return located.items.map((item) => dataOf(item, take));
  return Object.fromEntries([...located.entries].map(([name, { value }]) => [name, dataOf(value, take)]));
}

/** Whether any of a value came from the environment or from a file. */
export function hasSubstituted(located: Located): boolean {
  return hasScalar(located, ({ substituted }) => substituted);
}

/** Whether a reference in a value leads nowhere. */
export function hasUnresolved(located: Located): boolean {
  return hasScalar(located, ({ unresolved }) => unresolved);
}

function hasScalar(located: Located, is: (scalar: LocatedScalar) => boolean): boolean {
  if (located.kind === 'scalar') return is(located);
  const inner =
    located.kind === 'list' ? located.items : [...located.entries.values()].map(({ value }) => value);
  return inner.some((one) => hasScalar(one, is));
}
