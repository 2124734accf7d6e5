import { errors, type ProxyError } from '../errors.ts';
import { didYouMean } from '../registry/nearest.ts';
import { type Param, type ParamSchema, type ParamValues, readParam } from '../registry/params.ts';
import { shown } from '../registry/shown.ts';
import { type Located, type LocatedMap, hasUnresolved, plain } from './located-yaml.ts';

/** Reads located values as what a key wants, and collects what is wrong: nothing is thrown, so that one mistake hides no other. */
export class ConfigurationReader {
  readonly mistakes: ProxyError[];

  constructor(mistakes: ProxyError[]) {
    this.mistakes = mistakes;
  }

  /** Tells that `name` holds something else than what it should, unless a reference in it leads nowhere, which has been told. */
  unexpected(name: string, found: Located, expected: string): void {
    if (found.kind === 'scalar' && found.unresolved) return;
    this.mistakes.push(errors.ERR_CONFIG_VALUE.at(found.place, name, describe(found), expected));
  }

  /** The map's entry of that name; null when it is missing or has no value. */
  entry(map: LocatedMap | null, name: string): Located | null {
    const value = map?.entries.get(name)?.value ?? null;
    return value !== null && value.kind === 'scalar' && value.value === null ? null : value;
  }

  /** The value as a mapping with no other keys than these (null: any); null when it is none. */
  map(found: Located, name: string, keys: readonly string[] | null): LocatedMap | null {
    if (found.kind !== 'map') {
      this.unexpected(name, found, keys === null ? 'a mapping' : `a mapping with ${keys.join(', ')}`);
      return null;
    }
    for (const [key, { keyPlace }] of found.entries) {
      if (keys === null || keys.includes(key)) continue;
      this.mistakes.push(errors.ERR_CONFIG_KEY.at(keyPlace, key, name, didYouMean(key, keys)));
    }
    return found;
  }

  /** The items of a list; none when it is not a list. */
  list(found: Located | null, name: string, expected: string): readonly Located[] {
    if (found === null) return [];
    if (found.kind === 'list') return found.items;
    this.unexpected(name, found, `a list of ${expected}`);
    return [];
  }

  /** A text that is not empty and whose references lead somewhere, else null. */
  text(found: Located, name: string, expected: string): string | null {
    const value = found.kind === 'scalar' && !found.unresolved ? found.value : null;
    if (typeof value === 'string' && value !== '') return value;
    this.unexpected(name, found, expected);
    return null;
  }

  /** A mapping whose keys are declared like the parameters of a module; what is wrong in it takes its default. */
  section<S extends ParamSchema>(found: Located | null, name: string, keys: S): ParamValues<S> {
    const map = found === null ? null : this.map(found, name, Object.keys(keys));
    const values: Record<string, unknown> = {};
    for (const [key, declared] of Object.entries(keys)) {
      const value = this.entry(map, key);
      values[key] = value === null ? declared.default : this.#param(value, `${name}.${key}`, declared);
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value has been read by its own declaration
    return values as ParamValues<S>;
  }

  #param(found: Located, name: string, declared: Param): unknown {
    const substituted = found.kind === 'scalar' && found.substituted;
    if (hasUnresolved(found)) return declared.default;
    const value = plain(found);
    const result = readParam(declared, substituted ? fitText(declared, String(value)) : value);
    if (result.ok) return result.value;
    // What came from elsewhere may be a secret, and a reason may repeat it.
    this.unexpected(name, found, declared.expected + (substituted ? '' : result.why));
    return declared.default;
  }
}

/** What a text that came from elsewhere stands for: itself where the parameter takes it, else the number or boolean that it looks like. */
export function fitText(declared: Param, text: string): unknown {
  if (readParam(declared, text).ok) return text;
  const value = /^-?\d+$/.test(text) ? Number(text) : text === 'true' || (text === 'false' ? false : text);
  return readParam(declared, value).ok ? value : text;
}

function describe(found: Located): string {
  if (found.kind === 'map') return 'a mapping';
  if (found.kind === 'list') return 'a list';
  return found.value === null ? 'nothing' : shown(found.written);
}
