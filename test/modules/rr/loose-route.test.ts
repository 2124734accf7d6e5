import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rr } from '../../../modules/rr/rr.ts';
import { recordedLog } from '../../transport/recorded-log.ts';
import { callOf, fakeCore, linesOf, point, printed, received, request, scopeOf } from '../fake-core.ts';
import { asSent } from './as-sent.ts';

const { loose_route, check_route_param, is_direction } = rr.functions;
const ME = '192.0.2.1:5060';
const DIALOG = '<sip:bob@example.com>;tag=tb1';
const BOB = 'sip:bob@203.0.113.9';
const STRICT = '<sip:strict.example.com>';

function init(myself: readonly string[] = [ME], core = fakeCore({ myself })) {
  const params = { enable_full_lr: false, append_fromtag: true, enable_double_rr: true };
  return rr.init({ params, log: recordedLog(), core, deps: {} });
}

interface Incoming {
  readonly uri?: string;
  /** Header lines. */
  readonly routes: readonly string[];
  readonly to?: string;
  readonly myself?: readonly string[];
}

/** What a request becomes. */
function route(incoming: Incoming) {
  const msg = request({
    uri: incoming.uri ?? 'sip:bob@203.0.113.9',
    to: incoming.to ?? DIALOG,
    headers: incoming.routes.map((line) => `Route: ${line}`),
  });
  const call = callOf(init(incoming.myself), msg);
  const followed = loose_route.call(call);
  const routes = linesOf(printed(msg), 'route').map((line) => line.slice('Route: '.length));
  return { followed, uri: msg.uri, nextHop: msg.nextHop, routes };
}

test('loose_route: removes our own Route and sends to the next one', () => {
  assert.deepEqual(route({ routes: [`<sip:${ME};lr>`, '<sip:p2.example.com;lr>'] }), {
    followed: true,
    uri: 'sip:bob@203.0.113.9',
    nextHop: 'sip:p2.example.com;lr',
    routes: ['<sip:p2.example.com;lr>'],
  });
});

test('loose_route: finds our Route in a comma list as well', () => {
  assert.deepEqual(route({ routes: [`<sip:${ME};lr>, <sip:p2.example.com;lr>,<sip:p3.example.com;lr>`] }), {
    followed: true,
    uri: 'sip:bob@203.0.113.9',
    nextHop: 'sip:p2.example.com;lr',
    routes: ['<sip:p2.example.com;lr>,<sip:p3.example.com;lr>'],
  });
});

test('loose_route: with no other Route the Request-URI is the next hop', () => {
  assert.deepEqual(route({ routes: [`<sip:${ME};lr>`] }), {
    followed: true,
    uri: 'sip:bob@203.0.113.9',
    nextHop: null,
    routes: [],
  });
});

test('loose_route: false without a Route', () => {
  assert.deepEqual(route({ routes: [] }), {
    followed: false,
    uri: 'sip:bob@203.0.113.9',
    nextHop: null,
    routes: [],
  });
});

test('loose_route: a Route of another stays and is the next hop', () => {
  assert.deepEqual(route({ routes: ['<sip:p2.example.com;lr>'] }), {
    followed: true,
    uri: 'sip:bob@203.0.113.9',
    nextHop: 'sip:p2.example.com;lr',
    routes: ['<sip:p2.example.com;lr>'],
  });
});

test('loose_route: a first request follows the Routes that its sender put there', () => {
  const to = '<sip:bob@example.com>';
  assert.deepEqual(route({ to, routes: [`<sip:${ME};lr>`, '<sip:p2.example.com;lr>'] }), {
    followed: true,
    uri: 'sip:bob@203.0.113.9',
    nextHop: 'sip:p2.example.com;lr',
    routes: ['<sip:p2.example.com;lr>'],
  });
});

test('loose_route: false for a first request with no Route but ours, which is removed', () => {
  assert.deepEqual(route({ to: '<sip:bob@example.com>', routes: [`<sip:${ME};lr>`] }), {
    followed: false,
    uri: 'sip:bob@203.0.113.9',
    nextHop: null,
    routes: [],
  });
});

test('loose_route: removes both of a double Record-Route', () => {
  const routes = [`<sip:${ME};r2=on;lr>`, '<sip:10.0.0.1;r2=on;lr>', '<sip:p2.example.com;lr>'];
  assert.deepEqual(route({ routes, myself: [ME, '10.0.0.1'] }), {
    followed: true,
    uri: 'sip:bob@203.0.113.9',
    nextHop: 'sip:p2.example.com;lr',
    routes: ['<sip:p2.example.com;lr>'],
  });
});

test('loose_route: of two own Routes without r2 the second stays: the request passes here twice', () => {
  const { routes, nextHop } = route({ routes: [`<sip:${ME};lr>`, `<sip:${ME};lr>`] });
  assert.deepEqual(routes, [`<sip:${ME};lr>`]);
  assert.equal(nextHop, `sip:${ME};lr`);
});

test('loose_route: a double Route whose second is of another loses only ours', () => {
  const { routes } = route({ routes: [`<sip:${ME};r2=on;lr>`, '<sip:p2.example.com;r2=on;lr>'] });
  assert.deepEqual(routes, ['<sip:p2.example.com;r2=on;lr>']);
});

for (const [what, routes, left] of [
  ['as next hop', [`<sip:${ME};lr>`, STRICT, '<sip:p3.example.com;lr>'], ['<sip:p3.example.com;lr>']],
  ['that is the last Route', [`<sip:${ME};lr>, ${STRICT}`], []],
] as const) {
  test(`loose_route: a strict router ${what} is what each branch is rewritten for, and not the request`, async () => {
    const core = fakeCore({ myself: [ME] });
    const msg = request({ uri: BOB, to: DIALOG, headers: routes.map((line) => `Route: ${line}`) });
    assert.equal(loose_route.call(callOf(init([ME], core), msg)), true);
    assert.deepEqual([msg.uri, msg.nextHop], [BOB, null]);
    const sent = {
      uri: 'sip:strict.example.com',
      routes: [...left, `<${BOB}>`],
      host: 'strict.example.com',
    };
    assert.deepEqual(await asSent(msg, core), sent);
    assert.deepEqual(await asSent(msg, core), sent, 'another branch');
  });
}

test('loose_route: undoes what a strict router before us did', () => {
  const uri = `sip:${ME};lr;ftag=fa1`;
  assert.deepEqual(route({ uri, routes: ['<sip:p2.example.com;lr>', '<sip:bob@203.0.113.9>'] }), {
    followed: true,
    uri: 'sip:bob@203.0.113.9',
    nextHop: 'sip:p2.example.com;lr',
    routes: ['<sip:p2.example.com;lr>'],
  });
});

test('loose_route: behind a strict router also removes the twin of our Route', () => {
  const uri = `sip:${ME};r2=on;lr`;
  const routes = ['<sip:10.0.0.1;r2=on;lr>, <sip:bob@203.0.113.9>'];
  assert.deepEqual(route({ uri, routes, myself: [ME, '10.0.0.1'] }), {
    followed: true,
    uri: 'sip:bob@203.0.113.9',
    nextHop: null,
    routes: [],
  });
});

test('loose_route: between two strict routers rewrites both ways', async () => {
  const core = fakeCore({ myself: [ME] });
  const headers = [`Route: ${STRICT}`, `Route: <${BOB}>`];
  const msg = request({ uri: `sip:${ME};lr`, to: DIALOG, headers });
  assert.equal(loose_route.call(callOf(init([ME], core), msg)), true);
  assert.deepEqual(await asSent(msg, core), {
    uri: 'sip:strict.example.com',
    routes: [`<${BOB}>`],
    host: 'strict.example.com',
  });
});

test('loose_route: a Request-URI at our address without lr is a user, not a Route', () => {
  const { uri, routes } = route({
    uri: `sip:bob@${ME}`,
    routes: [`<sip:${ME};lr>`, '<sip:p2.example.com;lr>'],
  });
  assert.equal(uri, `sip:bob@${ME}`);
  assert.deepEqual(routes, ['<sip:p2.example.com;lr>']);
});

test('loose_route: false and nothing changed when a Route is malformed', () => {
  for (const bad of ['<sip:p2.example.com', '<sip:a b@c;lr>', '<>', '<sip:>']) {
    const { followed, uri, nextHop, routes } = route({ routes: [`<sip:${ME};lr>`, bad] });
    assert.deepEqual([followed, uri, nextHop], [false, 'sip:bob@203.0.113.9', null]);
    assert.deepEqual(routes, [`<sip:${ME};lr>`, bad]);
  }
});

test('loose_route: strips a maddr that brought the request here', () => {
  const rows: [uri: string, after: string][] = [
    ['sip:bob@example.com;maddr=192.0.2.1', 'sip:bob@example.com'],
    ['sip:bob@example.com:5060;maddr=192.0.2.1;transport=UDP;x=1', 'sip:bob@example.com;x=1'],
    ['sip:bob@example.com:5080;maddr=192.0.2.1', 'sip:bob@example.com:5080;maddr=192.0.2.1'],
    [
      'sip:bob@example.com;maddr=192.0.2.1;transport=tcp',
      'sip:bob@example.com;maddr=192.0.2.1;transport=tcp',
    ],
    ['sip:bob@example.com;maddr=203.0.113.1', 'sip:bob@example.com;maddr=203.0.113.1'],
    ['sips:bob@example.com;maddr=192.0.2.1', 'sips:bob@example.com;maddr=192.0.2.1'],
  ];
  for (const [uri, after] of rows) assert.equal(route({ uri, routes: [] }).uri, after);
});

test('loose_route: a second call in the same run changes nothing', () => {
  const headers = [`Route: <sip:${ME};lr;ftag=fa1>`, 'Route: <sip:p2.example.com;lr>'];
  const call = callOf(init(), request({ to: DIALOG, headers }));
  assert.equal(loose_route.call(call), true);
  const once = printed(call.msg);
  assert.equal(loose_route.call(call), true);
  assert.equal(printed(call.msg), once);
  assert.equal(is_direction.call(call, 'downstream'), true);
});

test('loose_route: works with an IPv6 address of ours', () => {
  const msg = request({
    to: DIALOG,
    headers: ['Route: <sip:[2001:db8::1]:5060;lr>, <sip:[2001:db8::2];lr>'],
    received: { ...received, point: point('2001:db8::1') },
  });
  assert.equal(loose_route.call(callOf(init(['[2001:db8::1]:5060']), msg)), true);
  assert.equal(msg.nextHop, 'sip:[2001:db8::2];lr');
});

test('is_direction: tells the way by the ftag of our Route', () => {
  const rows: [route: string, upstream: boolean][] = [
    [`<sip:${ME};lr;ftag=fa1>`, false],
    [`<sip:${ME};lr;ftag=tb1>`, true],
    [`<sip:${ME};lr>`, false],
    [`<sip:${ME};lr;ftag=>`, false],
    ['<sip:p2.example.com;lr;ftag=tb1>', false],
  ];
  for (const [header, upstream] of rows) {
    const call = callOf(init(), request({ to: DIALOG, headers: [`Route: ${header}`] }));
    loose_route.call(call);
    assert.equal(is_direction.call(call, 'upstream'), upstream, header);
    assert.equal(is_direction.call(call, 'downstream'), !upstream, header);
  }
});

test('is_direction: takes our URI from the Request-URI behind a strict router', () => {
  const uri = `sip:${ME};lr;ftag=tb1`;
  const call = callOf(init(), request({ uri, to: DIALOG, headers: ['Route: <sip:bob@203.0.113.9>'] }));
  loose_route.call(call);
  assert.equal(is_direction.call(call, 'upstream'), true);
});

test('is_direction: is known in later handlers of the same transaction', () => {
  const state = init();
  const msg = request({ to: DIALOG, headers: [`Route: <sip:${ME};lr;ftag=tb1>`] });
  const call = callOf(state, msg);
  loose_route.call(call);
  const later = callOf(state, request(), {
    scope: scopeOf(msg, { route: 'failure', avps: call.scope.avps }),
  });
  assert.equal(is_direction.call(later, 'upstream'), true);
});

test('check_route_param: matches the parameters of our own Route in any case', () => {
  const call = callOf(init(), request({ to: DIALOG, headers: [`Route: <sip:${ME};lr;ftag=x;Nat=Yes>`] }));
  assert.equal(check_route_param.call(call, 'nat=yes'), false, 'before loose_route');
  loose_route.call(call);
  assert.equal(check_route_param.call(call, ';nat=yes$'), true);
  assert.equal(check_route_param.call(call, '^;lr;ftag=x'), true);
  assert.equal(check_route_param.call(call, 'nat=no'), false);
});

test('check_route_param: false when the topmost Route was of another', () => {
  const call = callOf(init(), request({ to: DIALOG, headers: ['Route: <sip:p2.example.com;lr;nat=yes>'] }));
  loose_route.call(call);
  assert.equal(check_route_param.call(call, 'nat=yes'), false);
});

test('check_route_param: a text that is no regular expression is ERR_REGEX_SYNTAX', () => {
  const call = callOf(init(), request());
  assert.throws(() => check_route_param.call(call, '('), {
    code: 'ERR_REGEX_SYNTAX',
    message: /^check_route_param: "\(" is not a regular expression: /,
  });
});
