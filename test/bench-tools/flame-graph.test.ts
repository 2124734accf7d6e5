import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flameGraphSvg, lastOf, type Profile } from '../bench/flame-graph-svg.ts';

function frame(functionName: string, url = '', lineNumber = 9): Profile['nodes'][number]['callFrame'] {
  return { functionName, url, lineNumber };
}

/** root calls `receive`, which calls `parse` from two places of the code, so that V8 has two nodes of it. */
const PROFILE: Profile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 5, 6] },
    {
      id: 2,
      callFrame: frame('receive', 'file:///srv/someone/app/dist/core/proxy/ingress.js'),
      children: [3, 4],
    },
    { id: 3, callFrame: frame('parse<T>', 'file:///srv/someone/app/dist/core/sip/message.js') },
    { id: 4, callFrame: frame('parse<T>', 'file:///srv/someone/app/dist/core/sip/message.js') },
    { id: 5, callFrame: frame('(idle)') },
    { id: 6, callFrame: frame('', 'node:dgram') },
  ],
  samples: [2, 3, 5, 4, 6],
  timeDeltas: [100, 200, 9_000, 200, 500],
};

/** Texts of the boxes' titles. */
function titles(svg: string): string[] {
  return [...svg.matchAll(/<title>(.*?)<\/title>/g)].map(([, title = '']) => title);
}

test('flame graph: equal stacks are one, and shares are of the time in which the process was at work', () => {
  assert.deepEqual(titles(flameGraphSvg(PROFILE, 'test')), [
    'all: 100.0 %',
    'receive (core/proxy/ingress.js:10): 50.0 %',
    '(anonymous) (node:dgram:10): 50.0 %',
    'parse&lt;T&gt; (core/sip/message.js:10): 40.0 %',
  ]);
});

test('flame graph: a function lies above its caller, within its width', () => {
  const svg = flameGraphSvg(PROFILE, 'test');
  const boxOf = (title: string): { x: number; y: number; width: number } => {
    const [, x, y, width] = new RegExp(`${title}.*?<rect x="(.*?)" y="(.*?)" width="(.*?)"`).exec(svg) ?? [];
    return { x: Number(x), y: Number(y), width: Number(width) };
  };
  const [caller, callee] = [boxOf('receive'), boxOf('parse')];
  assert.ok(callee.y < caller.y);
  assert.ok(callee.x >= caller.x && callee.x + callee.width <= caller.x + caller.width);
});

test('flame graph: what is called too rarely to be seen is left out', () => {
  const svg = flameGraphSvg({ ...PROFILE, timeDeltas: [1_000_000, 1, 0, 0, 1] }, 'test');
  assert.deepEqual(titles(svg), ['all: 100.0 %', 'receive (core/proxy/ingress.js:10): 100.0 %']);
});

test('flame graph: places name no folder outside the project', () => {
  const urls = [
    'file:///srv/someone/core/app/dist/modules/tm/relay.js',
    'file:///srv/someone/app/node_modules/ws/lib/sender.js',
    'file:///tmp/kamaiki/routes.ts',
  ];
  const nodes = urls.map((url, i) => ({ id: i + 2, callFrame: frame('f', url) }));
  const root = { id: 1, callFrame: frame('(root)'), children: [2, 3, 4] };
  const svg = flameGraphSvg({ nodes: [root, ...nodes], samples: [2, 3, 4], timeDeltas: [3, 2, 1] }, 'test');
  assert.deepEqual(
    titles(svg)
      .slice(1)
      .map((title) => /\((.*)\)/.exec(title)?.[1]),
    ['modules/tm/relay.js:10', 'node_modules/ws/lib/sender.js:10', 'routes.ts:10'],
  );
});

test('flame graph: the last part of a profile begins after what lies before it', () => {
  assert.deepEqual(lastOf(PROFILE, 700).samples, [4, 6]);
  assert.deepEqual(lastOf(PROFILE, 699).samples, [6]);
  assert.deepEqual(lastOf(PROFILE, 1e9).samples, PROFILE.samples);
});
