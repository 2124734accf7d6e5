import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The folder with the suites that others wrote. */
const FOLDER = resolve(process.env['KAMAIKI_TEST_MATERIAL'] ?? '../shared/tests');

/** The path of a file of the test material, or null when it is missing. */
export function material(name: string): string | null {
  const file = join(FOLDER, name);
  return existsSync(file) ? file : null;
}
