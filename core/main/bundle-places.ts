import { SourceMap, type SourceMapPayload } from 'node:module';
import { resolve } from 'node:path';
import type { PlaceOf } from '../routing/handler-set.ts';

/** What stands before the source map at the end of a bundle. */
const MAP_PREFIX = '//# sourceMappingURL=data:application/json;base64,';

/**
 * Makes the function that finds places of a bundle's functions in the files that it was made of, whose names are relative to `folder`. Null comes back for a function whose text
 * does not stand in the bundle just once. Nothing is read before it is asked.
 */
export function bundlePlaces(bundle: Uint8Array, folder: string): PlaceOf {
  return (source, offset) => {
    const text = new TextDecoder().decode(bundle);
    const start = text.indexOf(source);
    if (start === -1 || text.includes(source, start + 1)) return null;
    const lines = text.slice(0, start + offset).split('\n');
    const entry = new SourceMap(mapOf(text)).findEntry(lines.length - 1, lines.at(-1)?.length ?? 0);
    if (!('originalSource' in entry)) return null;
    const { originalSource, originalLine, originalColumn } = entry;
    return { file: resolve(folder, originalSource), line: originalLine + 1, column: originalColumn + 1 };
  };
}

function mapOf(bundle: string): SourceMapPayload {
  const encoded = bundle.slice(bundle.lastIndexOf(MAP_PREFIX) + MAP_PREFIX.length);
  const payload: SourceMapPayload = JSON.parse(Buffer.from(encoded, 'base64').toString());
  return payload;
}
