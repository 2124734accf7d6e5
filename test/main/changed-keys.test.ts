import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { tellChangedKeys } from '../../core/main/changed-keys.ts';
import { readConfiguration } from '../../core/main/configuration.ts';
import { recordedLog } from '../transport/recorded-log.ts';
import { put } from './program.ts';

const TEXT = `listen: ["udp:127.0.0.1:0"]
routes: routes.ts
limits: { max_wait: 50 }
modules: { sl: {}, tm: { fr_timer: 100 } }
`;

/** What is told when the file has become `text` since the start. */
function told(text: string): readonly (readonly [string, unknown])[] {
  const file = put(TEXT, 'yaml');
  const sources = { file, environment: {}, builtin: () => Promise.resolve([]), listen: [] };
  const { configuration } = readConfiguration(file, sources);
  writeFileSync(file, text);
  const log = recordedLog();
  tellChangedKeys(configuration, sources, log);
  return log.lines.map(({ message, fields }) => [message, fields]);
}

test('changed keys: a file that says the same is no news, however it says it', () => {
  assert.deepEqual(told(`# The same.\n${TEXT.replace('fr_timer: 100', '"fr_timer":   100')}`), []);
});

test('changed keys: each one that is read at the start only is named', () => {
  const text = TEXT.replace('100', '200').replace('50', '60');
  assert.deepEqual(told(`${text}metrics: 127.0.0.1:9090\n`), [
    [
      'the configuration file has changed in keys that are read at the start only',
      { keys: 'limits metrics modules' },
    ],
  ]);
});

test('changed keys: a file with mistakes is told with the first of them', () => {
  const [line, ...others] = told(`${TEXT}nothing: 1\n`);
  assert.deepEqual(others, []);
  assert.match(JSON.stringify(line), /no start will work.*:5:1: unknown key 'nothing'/);
});
