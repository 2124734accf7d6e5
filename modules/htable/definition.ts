/** What the definition of a table says. */
export interface TableDefinition {
  readonly name: string;
  /** Lifetime of an item after its last change, s; 0: for ever. */
  readonly autoexpireS: number;
  /** What a missing item reads as through the variables, and what counting starts from; null: nothing. */
  readonly initval: number | null;
  /** Whether a change through the variables gives the item its lifetime anew. */
  readonly updateexpire: boolean;
  /** Items that the table takes; null: as the parameter `max_items` says. */
  readonly maxItems: number | null;
}

/** A definition, or what is wrong with the text. */
export type ParsedDefinition =
  | { readonly ok: true; readonly definition: TableDefinition }
  | { readonly ok: false; readonly reason: string };

/** Most items that a table may be given room for. */
export const MAX_MAX_ITEMS = 10_000_000;
/** Longest `autoexpire`, s: 68 years. */
const MAX_AUTOEXPIRE_S = 2_147_483_647;

/** Attributes with what they may be. */
const ATTRIBUTES: Readonly<Record<string, { readonly min: number; readonly max: number }>> = {
  // Slots of Kamailio's table. Here a table grows with what it holds: read, and of no effect.
  size: { min: 0, max: 31 },
  autoexpire: { min: 0, max: MAX_AUTOEXPIRE_S },
  initval: { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
  updateexpire: { min: 0, max: 1 },
  max_items: { min: 1, max: MAX_MAX_ITEMS },
};

/** Those of Kamailio's that would need what is not here. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  dbtable: 'tables are not loaded from a database',
  cols: 'tables are not loaded from a database',
  coldelim: 'tables are not loaded from a database',
  colnull: 'tables are not loaded from a database',
  dbmode: 'tables are not written to a database',
  dmqreplicate: 'tables are not shared between proxies: the module memcached is for that',
};

/** Reads `name=>size=8;autoexpire=300;initval=0;updateexpire=1;max_items=5000`. */
export function parseDefinition(text: string): ParsedDefinition {
  const mark = text.indexOf('=>');
  const name = (mark === -1 ? text : text.slice(0, mark)).trim();
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) return { ok: false, reason: 'it begins with no table name and =>' };
  const values = new Map<string, number>();
  const attributes = mark === -1 ? [] : text.slice(mark + 2).split(';');
  for (const attribute of attributes) {
    if (attribute.trim() === '') continue;
    const reason = readAttribute(attribute, values);
    if (reason !== null) return { ok: false, reason };
  }
  return {
    ok: true,
    definition: {
      name,
      autoexpireS: values.get('autoexpire') ?? 0,
      initval: values.get('initval') ?? null,
      updateexpire: values.get('updateexpire') !== 0,
      maxItems: values.get('max_items') ?? null,
    },
  };
}

/** Adds an attribute to `values`; what is wrong with it, else null. */
function readAttribute(text: string, values: Map<string, number>): string | null {
  const [name = '', value = '', ...more] = text.split('=').map((part) => part.trim());
  if (Object.hasOwn(UNSUPPORTED, name)) return `${name}: ${UNSUPPORTED[name]}`;
  const bounds = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
  if (bounds === undefined) return `${name} is none of ${Object.keys(ATTRIBUTES).join(', ')}`;
  if (values.has(name)) return `${name} stands twice`;
  const number = Number(value);
  const isInteger = /^-?\d+$/.test(value) && more.length === 0;
  if (!isInteger || number < bounds.min || number > bounds.max) {
    return `${name} is an integer from ${bounds.min} to ${bounds.max}`;
  }
  values.set(name, number);
  return null;
}
