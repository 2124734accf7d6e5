import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ProxyError } from '../../core/errors.ts';
import { MAX_NESTING, parseFormat, type Piece } from '../../core/routing/pv-syntax.ts';

/** Pieces in brackets, so that a table can show what was understood. */
function show(pieces: readonly Piece[]): string {
  return pieces
    .map((piece) => {
      if (piece.kind === 'text') return piece.text;
      const inner = piece.inner === null ? '' : ` ${show(piece.inner)}`;
      return `[${piece.name}${inner}${piece.index === null ? '' : ` @ ${show(piece.index)}`}]`;
    })
    .join('|');
}

const READ: readonly (readonly [string, string])[] = [
  ['', ''],
  ['plain (text)', 'plain (text)'],
  ['$rm', '[$rm]'],
  ['$rm from $si, counter $mct(cnt)', '[$rm]| from |[$si]|, counter |[$mct cnt]'],
  ['<$rm>', '<|[$rm]|>'],
  ['$mct(call::$ci)', '[$mct call::|[$ci]]'],
  ['$hdr(X-$rU)x', '[$hdr X-|[$rU]]|x'],
  ['$mct($var(a$avp(b)))', '[$mct [$var a|[$avp b]]]'],
  ['$mct(a(b)c(d(e)))', '[$mct a(b)c(d(e))]'],
  ['$mct()', '[$mct ]'],
  ['$(rm)s', '[$rm]|s'],
  ['$(rm)(s)', '[$rm]|(s)'],
  ['$(mct(k))', '[$mct k]'],
  ['$(mct(call::$(ci)))', '[$mct call::|[$ci]]'],
  ['$(hdr(Via)[1])s', '[$hdr Via @ 1]|s'],
  ['$(hdr(X-$rU)[-1])', '[$hdr X-|[$rU] @ -1]'],
  ['$(hdr(a)[$var(i)])', '[$hdr a @ [$var i]]'],
  ['$(hdr(a)[$(hdr(b)[0])])', '[$hdr a @ [$hdr b @ 0]]'],
  ['$(rm[0])', '[$rm @ 0]'],
  ['$hdr(Via)[1]', '[$hdr Via]|[1]'],
  ['$$', '$'],
  ['$$rm costs $$5', '$rm costs $5'],
  ['$$$rm', '$|[$rm]'],
  ['5 $ and $5 and $', '5 $ and $5 and $'],
  ['$mct(a$$b)', '[$mct a$b]'],
  ['$T_branch.x', '[$T_branch]|.x'],
  ['line\n$rm', 'line\n|[$rm]'],
];
for (const [format, expected] of READ) {
  test(`format: reads '${JSON.stringify(format).slice(1, -1)}'`, () => {
    assert.equal(show(parseFormat(format)), expected);
  });
}

const REFUSED: readonly (readonly [string, number, string])[] = [
  ['a $mct(k', 6, 'this parenthesis is not closed'],
  ['$mct($var(x)', 4, 'this parenthesis is not closed'],
  ['$mct(a(b)', 4, 'this parenthesis is not closed'],
  ['x $(5)', 2, 'a name must follow $('],
  ['$(', 0, 'a name must follow $('],
  ['$(rm', 4, 'only a name and an index may stand here: transformations do not exist'],
  ['$(hdr(x)[0', 8, 'this bracket is not closed'],
  ['$(hdr(x)[0)', 8, 'this bracket is not closed'],
  ['$(hdr(x)[0]', 11, 'only a name and an index may stand here: transformations do not exist'],
  ['$(hdr(x)[0][1])', 11, 'only a name and an index may stand here: transformations do not exist'],
  ['$(ru{s.len})', 4, 'only a name and an index may stand here: transformations do not exist'],
];
for (const [format, offset, reason] of REFUSED) {
  test(`format: refuses '${format}'`, () => {
    assert.throws(() => parseFormat(format), {
      code: 'ERR_PV_SYNTAX',
      message: `'${format}', offset ${offset}: ${reason}`,
    });
  });
}

const nested = (depth: number) => `${'$a('.repeat(depth)}x${')'.repeat(depth)}`;

test('format: refuses parentheses that nest deeper than the limit', () => {
  assert.doesNotThrow(() => parseFormat(nested(MAX_NESTING)));
  assert.throws(() => parseFormat(nested(MAX_NESTING + 1)), {
    code: 'ERR_PV_SYNTAX',
    message: /nest deeper/,
  });
});

test('format: any text with each $ doubled stands for itself', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(show(parseFormat(text.replaceAll('$', '$$$$'))), text);
    }),
  );
});

test('format: any text is read or refused with ERR_PV_SYNTAX', () => {
  const char = fc.constantFrom('$', '(', ')', 'a', '5', '[', ']', '{', '$a(', ' ');
  fc.assert(
    fc.property(fc.array(char, { maxLength: 40 }), (chars) => {
      try {
        parseFormat(chars.join(''));
      } catch (error) {
        assert.ok(error instanceof ProxyError && error.code === 'ERR_PV_SYNTAX');
      }
    }),
  );
});
