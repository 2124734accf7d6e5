/** A CPU profile as V8 writes it (`node --cpu-prof`). */
export interface Profile {
  readonly nodes: readonly ProfileNode[];
  /** Ids of the nodes that were on top of the stack, and the time before each, µs. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** The part of a profile that lies in its last `us` microseconds. */
export function lastOf({ nodes, samples, timeDeltas }: Profile, us: number): Profile {
  let first = samples.length;
  for (let left = us; first > 0; first -= 1) {
    left -= timeDeltas[first - 1] ?? 0;
    if (left < 0) break;
  }
  return { nodes, samples: samples.slice(first), timeDeltas: timeDeltas.slice(first) };
}

/** A function on a stack, with all that it called. */
interface Frame {
  readonly name: string;
  readonly place: string;
  /** µs in it and in what it called. */
  total: number;
  readonly callees: Map<string, Frame>;
}

const WIDTH = 1_200;
const ROW = 17;
const HEADER = 56;
/** Narrower frames are left out, px. */
const MIN_WIDTH = 0.6;
/** Width of a character, px. */
const CHARACTER = 6.6;

/** What V8 calls time in which the process waits. */
const IDLE = '(idle)';

/** Parts of the program by where their files lie; the first that fits counts. */
const PARTS = [
  { name: 'core/sip', color: '#f4a259', holds: /^core\/sip\// },
  { name: 'core/transport', color: '#8cb369', holds: /^core\/transport\// },
  { name: 'rest of the core', color: '#f4e285', holds: /^core\// },
  { name: 'module tm', color: '#5b8e7d', holds: /^modules\/tm\// },
  { name: 'module memcached', color: '#bc4b51', holds: /^modules\/memcached\// },
  { name: 'other modules and routes', color: '#d8a7b1', holds: /^(?:modules\/|routes)/ },
  { name: 'Node.js', color: '#8fb8de', holds: /^node:/ },
  { name: 'packages', color: '#b8b8ff', holds: /^node_modules\// },
  { name: 'native code, garbage collection', color: '#cccccc', holds: /^/ },
] as const;

/** Where a function lies, without what leads to the project: `core/sip/message.js:12`, `node:dgram:600`; '' for native code. */
function placeOf({ url, lineNumber }: ProfileNode['callFrame']): string {
  if (url === '') return '';
  const inPackage = url.lastIndexOf('node_modules/');
  const ours = /\/((?:core|modules)\/(?!.*\/(?:core|modules)\/).*)$/.exec(url)?.[1];
  const path = inPackage >= 0 ? url.slice(inPackage) : (ours ?? url.slice(url.lastIndexOf('/') + 1));
  return `${url.startsWith('node:') ? url : path}:${lineNumber + 1}`;
}

/** Merges the stacks of all samples. */
function merge({ nodes, samples, timeDeltas }: Profile): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(
    nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)),
  );
  const timeOf = new Map<number, number>();
  for (const [i, id] of samples.entries())
    timeOf.set(id, (timeOf.get(id) ?? 0) + Math.max(0, timeDeltas[i] ?? 0));
  const root: Frame = { name: 'all', place: '', total: 0, callees: new Map() };
  for (const [top, time] of timeOf) {
    if (byId.get(top)?.callFrame.functionName === IDLE) continue;
    const stack: ProfileNode[] = [];
    // V8's own root has no parent and is left out.
    for (let id = top; parents.has(id); id = parents.get(id) ?? 0) {
      const node = byId.get(id);
      if (node !== undefined) stack.push(node);
    }
    add(root, stack.toReversed(), time);
  }
  return root;
}

function add(root: Frame, stack: readonly ProfileNode[], time: number): void {
  let frame = root;
  frame.total += time;
  for (const { callFrame } of stack) {
    const name = callFrame.functionName === '' ? '(anonymous)' : callFrame.functionName;
    const place = placeOf(callFrame);
    const key = `${name} ${place}`;
    const callee = frame.callees.get(key) ?? { name, place, total: 0, callees: new Map() };
    frame.callees.set(key, callee);
    callee.total += time;
    frame = callee;
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function colorOf(place: string): string {
  return PARTS.find(({ holds }) => holds.test(place))?.color ?? '';
}

/** How a frame is drawn: it, and those that it calls above it. */
interface Box {
  readonly frame: Frame;
  readonly x: number;
  readonly depth: number;
}

/** Frames that are wide enough to be seen, with their place in the picture. */
function boxesOf(root: Frame): Box[] {
  const boxes: Box[] = [{ frame: root, x: 0, depth: 0 }];
  for (const { frame, x, depth } of boxes) {
    let left = x;
    for (const callee of [...frame.callees.values()].toSorted((a, b) => b.total - a.total)) {
      const width = (callee.total / root.total) * WIDTH;
      if (width >= MIN_WIDTH) boxes.push({ frame: callee, x: left, depth: depth + 1 });
      left += width;
    }
  }
  return boxes;
}

function drawn({ frame, x, depth }: Box, root: Frame, height: number): string {
  const { name, place, total } = frame;
  const width = (total / root.total) * WIDTH;
  const y = height - (depth + 1) * ROW;
  const room = Math.floor((width - 4) / CHARACTER);
  const text = name.length <= room ? name : room > 3 ? `${name.slice(0, room - 1)}…` : '';
  const title = `${name}${place === '' ? '' : ` (${place})`}: ${((total / root.total) * 100).toFixed(1)} %`;
  const rectangle = `<rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 0.4).toFixed(1)}" height="${ROW - 1}" fill="${colorOf(place)}"/>`;
  const label = text === '' ? '' : `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escaped(text)}</text>`;
  return `<g><title>${escaped(title)}</title>${rectangle}${label}</g>`;
}

function legend(): string {
  let x = 8;
  return PARTS.map(({ name, color }) => {
    const entry = `<rect x="${x}" y="32" width="11" height="11" fill="${color}"/><text x="${x + 15}" y="42">${name}</text>`;
    x += 27 + name.length * CHARACTER;
    return entry;
  }).join('');
}

/**
 * Draws a profile as a flame graph: what calls stands below what it calls, and the width is the share of CPU. Time in which the process waits is left
 * out. Pointing at a box shows its name, place and share.
 */
export function flameGraphSvg(profile: Profile, title: string): string {
  const root = merge(profile);
  const boxes = boxesOf(root);
  const height = HEADER + (Math.max(...boxes.map(({ depth }) => depth)) + 1) * ROW + 4;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="monospace" font-size="11">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="8" y="20" font-size="14">${escaped(title)}</text>`,
    legend(),
    ...boxes.map((box) => drawn(box, root, height - 4)),
    '</svg>',
    '',
  ].join('\n');
}
