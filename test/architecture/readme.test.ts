import assert from 'node:assert/strict';
import { test } from 'node:test';
import { read } from './source-files.ts';

/** The lines of the TypeScript blocks in a text, one after the other, but for empty ones. */
function samplesIn(text: string): string[] {
  return Array.from(text.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code = '']) => filled(code)).flat();
}

function filled(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

test('README: its route, line by line, is test/types/readme-route.test-d.ts, which compiles', () => {
  const [section = ''] = read('README.md').split('## A route, line by line').slice(1);
  const [, ...lines] = filled(read('test/types/readme-route.test-d.ts'));
  assert.deepEqual(samplesIn(section.split('\n## ')[0] ?? ''), lines);
});
