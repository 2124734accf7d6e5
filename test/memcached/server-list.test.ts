import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_SERVERS, parseServers, serverName } from '../../modules/memcached/server-list.ts';

/** Names and weights of a list. */
function shown(text: string): string[] {
  const parsed = parseServers(text);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason);
  return parsed.servers.map(({ address, weight }) => `${serverName(address)} ${weight}`);
}

test('servers: each form is understood', () => {
  for (const [text, names] of [
    ['localhost:11211', ['localhost:11211 1']],
    ['localhost', ['localhost:11211 1']],
    ['cache_1.münchen.example.', ['cache_1.münchen.example.:11211 1']],
    ['[::1]:11311', ['[::1]:11311 1']],
    ['[2001:db8::1]', ['[2001:db8::1]:11211 1']],
    ['unix:/run/memcached.sock', ['unix:/run/memcached.sock 1']],
    ['a:1;weight=3', ['a:1 3']],
    [' a:1 ; weight=3 , b:2 ', ['a:1 3', 'b:2 1']],
    ['unix:/s;weight=2,[::1]', ['unix:/s 2', '[::1]:11211 1']],
  ] as const) {
    assert.deepEqual(shown(text), names, text);
  }
});

test('servers: TLS is a matter of each', () => {
  const parsed = parseServers('a;tls=on;weight=2, b;tls=off, c;tls_name=x, unix:/run/a@b');
  assert.ok(parsed.ok);
  assert.deepEqual(
    parsed.servers.map(({ tls, tlsName, weight }) => [tls, tlsName, weight]),
    [
      [true, undefined, 2],
      [false, undefined, 1],
      [undefined, 'x', 1],
      [undefined, undefined, 1],
    ],
  );
});

test('servers: embedded stands alone', () => {
  assert.deepEqual(parseServers(' embedded '), { ok: true, embedded: true, servers: [] });
  assert.match(reason('embedded,a:1'), /'embedded' stands alone/);
});

function reason(text: string): string {
  const parsed = parseServers(text);
  assert.ok(!parsed.ok, text);
  return parsed.reason;
}

test('servers: each mistake has its reason', () => {
  for (const [text, expected] of [
    ['', /a server is missing/],
    ['a:1,', /a server is missing/],
    ['a:0', /port from 1 to 65535, found '0'/],
    ['a:65536', /port from 1 to 65535/],
    ['a:', /port from 1 to 65535, found ''/],
    ['a:x', /found 'x'/],
    ['::1', /IPv6 address stands in brackets, \[::1\]/],
    ['2001:db8::1:11211', /IPv6 address stands in brackets, \[2001:db8::1\]:11211/],
    ['a:1:2', /'a:1:2': expected host:port/],
    ['2001:db8:0:0:0:0:0:1:11211', /stands in brackets, \[2001:db8:0:0:0:0:0:1\]:11211/],
    ['[::1', /expected host:port/],
    ['[1.2.3.4]:1', /\[1.2.3.4\] is no IPv6 address/],
    ['[::1::2]', /\[::1::2\] is no IPv6 address/],
    ['999.1.1.1:1', /999.1.1.1 is no IPv4 address/],
    ['10.0.0', /10.0.0 is no IPv4 address/],
    ['cache..example', /cache..example is no host name/],
    ['cache=a', /cache=a is no host name/],
    ['unix:relative', /absolute path/],
    ['a b:1', /expected host:port/],
    ['a:1;weight=0', /weight=1 to weight=1000/],
    ['a:1;weight=1001', /weight=1 to/],
    ['a:1;wait=1', /'wait=1' after a:1: expected weight=N, tls=on, tls=off or tls_name=NAME/],
    ['a:1;tls', /'tls' after a:1: expected weight=N, tls=on/],
    ['a:1;tls=yes', /'tls=yes' after a:1: expected tls=on or tls=off/],
    ['unix:/s;tls=on', /there is no TLS on a Unix socket/],
    ['a:1;tls_name=', /expected weight=N, tls=on, tls=off or tls_name=NAME/],
    ['proxy:secret@a:1', /^a server has no @/],
    ['a:1,a:1', /a:1 stands there twice/],
    ['a,a:11211', /a:11211 stands there twice/],
    ['cache:1,CACHE:1', /CACHE:1 stands there twice/],
    ['[::1]:1,[0:0::1]:1', /\[0:0::1\]:1 stands there twice/],
    ['a:1;weight=2;weight=3', /weight stands there twice after a:1/],
  ] as const) {
    assert.match(reason(text), expected, text);
  }
});

function list(count: number): string {
  return Array.from({ length: count }, (_, i) => `a:${i + 1}`).join(',');
}

test('servers: more than the bound are refused', () => {
  assert.equal(shown(list(MAX_SERVERS)).length, MAX_SERVERS);
  assert.match(reason(list(MAX_SERVERS + 1)), /more than 100 servers/);
});
