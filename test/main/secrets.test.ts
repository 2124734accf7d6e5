import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { defineModule, param, ProxyError, ProxyErrors, Secret } from '../../core/index.ts';
import { assemble, type Assembly } from '../../core/main/assemble.ts';
import { MAX_REFERENCED_BYTES } from '../../core/main/environment.ts';
import { moduleText } from '../../core/main/module-listing.ts';
import { checkRequests } from '../../core/registry/load-checks.ts';
import { modulesSchema } from '../../core/registry/schema.ts';
import { tempFolder } from '../programs/temp-folder.ts';

const folder = tempFolder();
writeFileSync(join(folder, 'routes.ts'), 'export default { uses: [], request() {} };');
mkdirSync(join(folder, 'inner'));
writeFileSync(join(folder, 'inner/one'), 'hush-hush\n');
writeFileSync(join(folder, 'inner/crlf'), 'hush\r\nhush\r\n');
writeFileSync(join(folder, 'inner/number'), '7\n');
writeFileSync(join(folder, 'inner/reference'), '${HUSH}');
writeFileSync(join(folder, 'inner/largest'), 'x'.repeat(MAX_REFERENCED_BYTES));
writeFileSync(join(folder, 'inner/larger'), 'x'.repeat(MAX_REFERENCED_BYTES + 1));

const sample = defineModule({
  name: 'sample',
  doc: 'For tests.',
  depends: [],
  params: {
    password: param.secret({
      doc: 'A password.',
      expected: 'text without spaces',
      check: (text) => (text.includes(' ') ? 'it has a space' : null),
    }),
    text: param.string({ default: '', doc: 'A text.' }),
    short: param.string({
      default: '',
      doc: 'A short text.',
      check: (text) => (text.length > 4 ? `'${text}' is too long` : null),
    }),
    size: param.int({ default: 1, min: 1, unit: 'count', doc: 'A size.' }),
    file: param.file({ doc: 'A file.', check: (file) => (file.endsWith('/one') ? null : `not ${file}`) }),
  },
  init: () => ({}),
  pseudoVariables: {},
  functions: {},
});

const file = join(folder, 'kamailio.yaml');
function assembled(text: string): Promise<Assembly> {
  writeFileSync(file, `listen: ["udp:127.0.0.1:0"]\nroutes: routes.ts\nmodules:\n  sample: { ${text} }\n`);
  const environment = { HUSH: 'hush-hush', SPACED: 'hush hush' };
  return assemble({ file, environment, builtin: () => Promise.resolve([sample]), listen: [] });
}

async function mistakes(text: string): Promise<string> {
  const error: unknown = await assembled(text).then(
    () => assert.fail('it was assembled'),
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof ProxyError || error instanceof ProxyErrors, String(error));
  return error.message;
}

const READ: readonly (readonly [given: string, key: string, expected: unknown])[] = [
  ['text: "${file:inner/one}"', 'text', 'hush-hush'],
  [`text: "\${file:${folder}/inner/one}"`, 'text', 'hush-hush'],
  ['text: "a${file:inner/one}b${HUSH}"', 'text', 'ahush-hushbhush-hush'],
  ['text: "${file:inner/crlf}"', 'text', 'hush\r\nhush'],
  ['text: "${file:inner/reference}"', 'text', '${HUSH}'],
  ['text: "$${file:inner/one}"', 'text', '${file:inner/one}'],
  ['text: "${file:inner/largest}"', 'text', 'x'.repeat(MAX_REFERENCED_BYTES)],
  ['size: "${file:inner/number}"', 'size', 7],
  ['file: inner/one', 'file', join(folder, 'inner/one')],
  ['file: "${NONE:-inner}/one"', 'file', join(folder, 'inner/one')],
  ['file: ""', 'file', ''],
];
for (const given of ['"hush-hush"', '"${HUSH}"', '"${file:inner/one}"']) {
  test(`secrets: password: ${given} is taken`, async () => {
    const { modules } = await assembled(`password: ${given}`);
    const { checked } = checkRequests([sample], modules);
    const password = checked[0]?.params['password'];
    assert.ok(password instanceof Secret);
    assert.equal(password.reveal(), 'hush-hush');
  });
}

for (const [given, key, expected] of READ) {
  test(`secrets: ${given.replace(folder, 'FOLDER')} is read`, async () => {
    const { modules } = await assembled(given);
    assert.equal(modules[0]?.params[key], expected);
  });
}

const REFUSED: readonly (readonly [given: string, message: string])[] = [
  [
    'password: "${GONE}"',
    '4:23: environment variable GONE is not set, and ${GONE} gives no default (${GONE:-default} would)',
  ],
  [
    'password: "${file:gone}"',
    `4:23: the file of \${file:gone} cannot be read: ENOENT: no such file or directory, stat '${folder}/gone'`,
  ],
  ['password: "${file:inner}"', '4:23: the file of ${file:inner} cannot be read: it is not a file'],
  ['password: "${file:/dev/zero}"', '4:23: the file of ${file:/dev/zero} cannot be read: it is not a file'],
  [
    'password: "${file:inner/larger}"',
    '4:23: the file of ${file:inner/larger} cannot be read: it has more than 65536 bytes',
  ],
  [
    'password: "hush hush"',
    '4:13: sample.password: expected text without spaces, found something else, not shown: it has a space',
  ],
  ['password: 4711', '4:13: sample.password: expected text without spaces, found something else, not shown'],
  [
    'password: { a: hush }',
    '4:13: sample.password: expected text without spaces, found something else, not shown',
  ],
  ['password: "${SPACED}"', '4:13: sample.password: expected text without spaces, found "${SPACED}"'],
  ['size: "${HUSH}"', '4:13: sample.size: expected an integer of at least 1, found "${HUSH}"'],
  [
    'size: ["x${file:inner/one}"]',
    '4:13: sample.size: expected an integer of at least 1, found ["x${file:inner/one}"]',
  ],
  ['short: "${HUSH}"', '4:13: sample.short: expected a string, found "${HUSH}"'],
  [
    'file: inner/crlf',
    `4:13: sample.file: expected the name of a file, found "${folder}/inner/crlf": not ${folder}/inner/crlf`,
  ],
];
test('secrets: a file that cannot be read is ERR_CONFIG_FILE', async () => {
  await assert.rejects(assembled('password: "${file:gone}"'), (error) => {
    assert.ok(error instanceof ProxyErrors);
    assert.deepEqual(
      error.errors.map(({ code }) => code),
      ['ERR_CONFIG_FILE'],
    );
    return true;
  });
});

for (const [given, message] of REFUSED) {
  test(`secrets: ${given} is a mistake with its place, and no value shows`, async () => {
    const told = await mistakes(given);
    assert.deepEqual(told.split('\n'), [`${file}:${message}`]);
    assert.doesNotMatch(told, /hush|4711/);
  });
}

test('secrets: the value of a key of kamailio.yaml itself does not show when it came from elsewhere', async () => {
  const told = await mistakes('}\nlog: { level: "${HUSH}", format: "${file:inner/one}"');
  assert.match(told, /log\.level: found "\$\{HUSH\}", expected one of/);
  assert.match(told, /log\.format: found "\$\{file:inner\/one\}", expected one of/);
  assert.doesNotMatch(told, /hush/);
});

test('secrets: a listing and a schema show that a secret is there to be given, and no more', () => {
  assert.match(moduleText(sample), /password +A password\. Text without spaces; default ""\./);
  const { properties } = modulesSchema([sample]);
  assert.match(
    JSON.stringify(properties),
    /"password":\{[^}]*"type":"string"[^}]*\}|"password":\{"default":"","type":"string"/,
  );
});

test('secrets: a secret prints as one, and gives its text to the one who asks', () => {
  const secret = new Secret('hush-hush');
  assert.deepEqual(
    [String(secret), JSON.stringify({ secret }), secret.isEmpty, secret.reveal()],
    ['[secret]', '{"secret":"[secret]"}', false, 'hush-hush'],
  );
  const none = new Secret('');
  assert.deepEqual([String(none), JSON.stringify({ none }), none.isEmpty], ['', '{"none":""}', true]);
});
