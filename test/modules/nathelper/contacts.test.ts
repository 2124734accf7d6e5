import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseNameAddrs, parseUri } from '../../../core/index.ts';
import { MAX_CONTACTS } from '../../../modules/nathelper/contacts.ts';
import { nathelper } from '../../../modules/nathelper/nathelper.ts';
import { callOf, linesOf, parsed, printed, proxyPoint, received, request, response } from '../fake-core.ts';

const { fix_nated_contact, set_contact_alias } = nathelper.functions;
const withContacts = (...values: string[]) =>
  request({ headers: values.map((value) => `Contact: ${value}`) });
const contactsOf = (msg: ReturnType<typeof request>) => linesOf(printed(msg), 'contact');

test('fix_nated_contact: puts the source in place of host and port, and leaves all else', () => {
  const rows: [before: string, after: string][] = [
    ['<sip:a@10.0.0.1>', '<sip:a@198.51.100.7:5070>'],
    ['<sip:a@10.0.0.1:5060;Transport=TCP;x>;q=0.5', '<sip:a@198.51.100.7:5070;Transport=TCP;x>;q=0.5'],
    ['sip:10.0.0.1;expires=5', 'sip:198.51.100.7:5070;expires=5'],
    ['<SIP:a:pw@[fd00::1]:05060?h=10.0.0.1>', '<SIP:a:pw@198.51.100.7:5070?h=10.0.0.1>'],
    ['"<sip:a@10.0.0.1>\\"" <sip:a@10.0.0.1>', '"<sip:a@10.0.0.1>\\"" <sip:a@198.51.100.7:5070>'],
    ['A B <sip:a;b=c@10.0.0.1>', 'A B <sip:a;b=c@198.51.100.7:5070>'],
    ['sip:a@10.0.0.1;x="<sip:a@10.0.0.1>"', 'sip:a@198.51.100.7:5070;x="<sip:a@10.0.0.1>"'],
    ['<sip:a@10.0.0.1> , <sip:b@x>', '<sip:a@198.51.100.7:5070> , <sip:b@198.51.100.7:5070>'],
    ['<tel:+1>, <sip:a@10.0.0.1>', '<tel:+1>, <sip:a@198.51.100.7:5070>'],
  ];
  for (const [before, after] of rows) {
    const msg = withContacts(before);
    assert.equal(fix_nated_contact.call(callOf(null, msg)), true, before);
    assert.equal(printed(msg), msg.head.replace(`Contact: ${before}`, `Contact: ${after}`));
  }
});

test('fix_nated_contact: every Contact line, and IPv6 in brackets', () => {
  const msg = request({
    headers: ['m: <sip:a@10.0.0.1>', 'Contact: <sip:b@10.0.0.1>'],
    received: { ...received, address: '2001:db8::7' },
  });
  assert.equal(fix_nated_contact.call(callOf(null, msg)), true);
  assert.deepEqual(linesOf(printed(msg), 'm'), ['m: <sip:a@[2001:db8::7]:5070>']);
  assert.deepEqual(contactsOf(msg), ['Contact: <sip:b@[2001:db8::7]:5070>']);
});

test('set_contact_alias: adds the source as a parameter of the URI, also to one that has some', () => {
  const alias = ';alias=198.51.100.7~5070~1';
  const rows: [before: string, after: string][] = [
    ['<sip:a@10.0.0.1>', `<sip:a@10.0.0.1${alias}>`],
    ['<sip:a@10.0.0.1:5060;X=1;lr>;q=1', `<sip:a@10.0.0.1:5060;X=1;lr${alias}>;q=1`],
    ['<sip:a@10.0.0.1?h=v>', `<sip:a@10.0.0.1${alias}?h=v>`],
    ['sip:a@10.0.0.1;q=1', `<sip:a@10.0.0.1${alias}>;q=1`],
    ['<sip:a;alias=b@10.0.0.1;Alias=192.0.2.1~1~1;y>', `<sip:a;alias=b@10.0.0.1;y${alias}>`],
    ['<sip:a@10.0.0.1;alias;aliases=1?h=v>', `<sip:a@10.0.0.1;aliases=1${alias}?h=v>`],
  ];
  for (const [before, after] of rows) {
    const msg = withContacts(before);
    assert.equal(set_contact_alias.call(callOf(null, msg)), true, before);
    assert.deepEqual(contactsOf(msg), [`Contact: ${after}`]);
    const read = parseNameAddrs(after);
    assert(read.ok && parseUri(read.value[0]!.uriText).ok, after);
  }
});

test('set_contact_alias: has a number for each protocol, and IPv6 in brackets', () => {
  for (const [protocol, number] of [
    ['udp', 1],
    ['tcp', 2],
    ['tls', 3],
    ['ws', 5],
    ['wss', 6],
  ] as const) {
    const from = { ...received, address: '2001:db8::7', point: { ...proxyPoint, protocol } };
    const msg = request({ headers: ['Contact: <sip:a@x>'], received: from });
    set_contact_alias.call(callOf(null, msg));
    assert.deepEqual(contactsOf(msg), [`Contact: <sip:a@x;alias=[2001:db8::7]~5070~${number}>`]);
  }
});

test('set_contact_alias, fix_nated_contact: a second call changes nothing more, the last of both counts', () => {
  const msg = withContacts('sip:a@10.0.0.1');
  const call = callOf(null, msg);
  fix_nated_contact.call(call);
  set_contact_alias.call(call);
  set_contact_alias.call(call);
  assert.deepEqual(contactsOf(msg), ['Contact: <sip:a@10.0.0.1;alias=198.51.100.7~5070~1>']);
  fix_nated_contact.call(call);
  fix_nated_contact.call(call);
  assert.deepEqual(contactsOf(msg), ['Contact: sip:a@198.51.100.7:5070']);
});

test('set_contact_alias, fix_nated_contact: change nothing where no Contact can be read', () => {
  const rows = [
    request(),
    withContacts('*'),
    withContacts('<tel:+1>'),
    withContacts('<sip:a@10.0.0.1>', '<sip:@>'),
    withContacts('<sip:a@10.0.0.1>', '"a'),
    withContacts(''),
    withContacts('<sip:a@10.0.0.1>,'),
  ];
  for (const msg of rows) {
    assert.equal(fix_nated_contact.call(callOf(null, msg)), false, msg.head);
    assert.equal(set_contact_alias.call(callOf(null, msg)), false, msg.head);
    assert.equal(printed(msg), msg.head);
  }
});

const many = (count: number) => withContacts(Array.from({ length: count }, () => '<sip:a@x>').join(','));

test('set_contact_alias: up to MAX_CONTACTS values are changed, of more none', () => {
  const most = many(MAX_CONTACTS);
  assert.equal(set_contact_alias.call(callOf(null, most)), true);
  assert.equal(most.edits.size, MAX_CONTACTS);
  const more = many(MAX_CONTACTS + 1);
  assert.equal(set_contact_alias.call(callOf(null, more)), false);
  assert.equal(more.edits.size, 0);
});

test('set_contact_alias, fix_nated_contact: work on responses', () => {
  for (const change of [fix_nated_contact, set_contact_alias]) {
    const msg = response({ headers: ['Contact: <sip:b@10.0.0.1>'] });
    assert.equal(change.call(callOf(null, msg)), true);
    assert.equal(msg.edits.size, 1);
  }
});

/** Contact headers, good and bad, from what confuses their readers. */
const oddContacts = fc
  .array(
    fc.constantFrom(
      '<sip:a@10.0.0.1>',
      'sip:a;x@h:5060',
      '<sips:[fd00::1]:05061;alias=1?a=b>',
      '"<sip:x@y>\\" ," ',
      '<sip:a@h;alias>',
      'Bob\r\n ',
      ';q="<>,"',
      ',',
      ' ',
      '<',
      '>',
      '"',
      '\\',
      '@',
      '?',
      '\xe9',
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

test('set_contact_alias, fix_nated_contact: of any Contact make as many values that can be read, or leave it', () => {
  let changed = 0;
  fc.assert(
    fc.property(oddContacts, fc.constantFrom(fix_nated_contact, set_contact_alias), (value, change) => {
      const msg = request({ headers: [`Contact: ${value}`] });
      const before = msg.contacts();
      const isChanged = change.call(callOf(null, msg));
      const text = printed(msg);
      if (!isChanged) return assert.equal(text, msg.head);
      changed += 1;
      const after = parsed(Buffer.from(text, 'latin1')).contacts();
      assert(before.ok && before.value !== '*' && after.ok && after.value !== '*', value);
      assert.deepEqual(
        after.value.map(({ displayName, uri }) => [displayName, uri.ok && uri.value.user]),
        before.value.map(({ displayName, uri }) => [displayName, uri.ok && uri.value.user]),
      );
      return undefined;
    }),
    { numRuns: 2_000 },
  );
  assert.ok(changed > 50, `only ${changed} could be changed`);
});
