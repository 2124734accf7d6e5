/**
 * Call flows of RFC 3665, 3327 and 4916: what goes into each of their proxies, and what comes out. What may differ is in `leaveOut`
 * (flow-proxy.ts), slips of the RFCs are in `CORRECTIONS` (flow-material.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowMessages } from './flow-material.ts';
import { type FlowProxy, PlayedProxy } from './flow-proxy.ts';

interface Part extends FlowProxy {
  readonly flow: string;
  readonly name: string;
  /** Messages that the proxy gets, by their number, each with those that it then sends. */
  readonly steps: readonly (readonly [input: number, ...outputs: number[]])[];
}

const TO_BOB = { 'sip:bob@biloxi.example.com': 'sip:bob@client.biloxi.example.com' };
const PROXY_1 = {
  name: 'Proxy 1',
  host: 'ss1.atlanta.example.com',
  records: true,
  strips: 'Proxy-Authorization',
} as const;
const PROXY_2 = { name: 'Proxy 2', host: 'ss2.biloxi.example.com', records: true, location: TO_BOB } as const;
const IN_PATH = { flow: 'rfc3327/5.5.1', protocol: 'udp' } as const;

const PARTS: readonly Part[] = [
  {
    ...PROXY_1,
    flow: 'rfc3665/3.02',
    protocol: 'tcp',
    steps: [[1, 2], [3], [4, 5, 6], [8], [10, 11], [13, 14], [15, 16], [19, 20], [21, 22]],
  },
  {
    ...PROXY_2,
    flow: 'rfc3665/3.02',
    protocol: 'tcp',
    steps: [
      [5, 7, 8],
      [9, 10],
      [12, 13],
      [16, 17],
      [18, 19],
      [22, 23],
    ],
  },
  {
    name: 'ALG',
    host: 'alg1.atlanta.example.com',
    records: true,
    rewrites: {
      requests: ['/192\\.0\\.2\\.101/192.0.2.128/', '/audio 49172/audio 2000/'],
      responses: ['/192\\.0\\.2\\.201/192.0.2.128/', '/audio 3456/audio 1734/'],
    },
    flow: 'rfc3665/3.05',
    protocol: 'udp',
    steps: [[1, 2, 3], [5], [7, 8], [10, 11], [12, 13], [14, 15], [16, 17]],
  },
  {
    ...PROXY_2,
    records: false,
    strips: 'Proxy-Authorization',
    flow: 'rfc3665/3.05',
    protocol: 'udp',
    steps: [
      [2, 4, 5],
      [6, 7],
      [9, 10],
    ],
  },
  {
    name: 'Redirect Server',
    host: 'redirect.biloxi.example.com',
    flow: 'rfc3665/3.06',
    protocol: 'udp',
    steps: [[1, 2], [3]],
  },
  {
    name: 'Proxy 3',
    host: 'ss3.chicago.example.com',
    records: true,
    location: { 'sip:bob@chicago.example.com': 'sip:bob@client.chicago.example.com' },
    flow: 'rfc3665/3.06',
    protocol: 'tcp',
    steps: [
      [4, 5, 6],
      [7, 8],
      [9, 10],
      [11, 12],
      [13, 14],
      [15, 16],
    ],
  },
  {
    ...PROXY_2,
    records: false,
    flow: 'rfc3665/3.07',
    protocol: 'udp',
    steps: [
      [1, 2, 3],
      [4, 5],
      [6, 7],
    ],
  },
  {
    ...PROXY_1,
    flow: 'rfc3665/3.08',
    protocol: 'udp',
    steps: [[1, 2, 3], [5], [7, 8], [9, 10, 11], [12], [17, 18, 19], [20]],
  },
  {
    ...PROXY_2,
    flow: 'rfc3665/3.08',
    protocol: 'udp',
    steps: [[2, 4, 5], [6, 7], [11, 12, 13], [14], [15, 16, 17], [18]],
  },
  { ...PROXY_1, flow: 'rfc3665/3.09', protocol: 'tcp', steps: [[1, 2, 3], [5], [8, 9, 10], [11]] },
  { ...PROXY_2, flow: 'rfc3665/3.09', protocol: 'tcp', steps: [[2, 4, 5], [6, 7, 8], [9]] },
  {
    name: 'Proxy',
    host: 'proxy.example.com',
    records: true,
    location: { 'sip:Bob@example.com': 'sip:Carol@ua2.example.com' },
    adds: ['Identity', 'Identity-Info'],
    flow: 'rfc4916/5.1',
    protocol: 'tls',
    steps: [
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
      [9, 10],
    ],
  },
  {
    ...IN_PATH,
    name: 'P1',
    host: '112.68.155.4',
    addsPath: true,
    steps: [
      [1, 2],
      [7, 8],
    ],
  },
  {
    ...IN_PATH,
    name: 'P2',
    host: '178.73.76.230',
    steps: [
      [2, 3],
      [6, 7],
    ],
  },
  {
    ...IN_PATH,
    name: 'P3',
    host: '19.31.97.3',
    addsPath: true,
    steps: [
      [3, 4],
      [5, 6],
    ],
  },
];

for (const part of PARTS) {
  const messages = flowMessages(part.flow);
  test(`flows: ${part.flow}, ${part.name} sends what the RFC shows`, {
    skip: messages === null && `no test material for ${part.flow}`,
  }, async () => {
    assert.ok(messages !== null);
    const message = (number: number): string => messages[number - 1] ?? assert.fail(`no F${number}`);
    const proxy = await PlayedProxy.start(part);
    for (const [input, ...outputs] of part.steps) await proxy.passes(message(input), outputs.map(message));
  });
}
