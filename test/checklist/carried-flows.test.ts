/**
 * Call flows between two parties without a proxy (RFC 3515, 3665, 4916, 5626): a proxy that is put between them carries each message,
 * and changes nothing but what is its own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowMessages } from './flow-material.ts';
import { carry, carrier } from './carrier.ts';

const FLOWS: readonly {
  readonly flow: string;
  readonly protocol: 'udp' | 'tcp' | 'tls';
  /** Numbers of the messages that go between the two, all unless told. */
  readonly messages?: readonly number[];
}[] = [
  { flow: 'rfc3515/4.1', protocol: 'udp' },
  { flow: 'rfc3515/4.2', protocol: 'udp' },
  { flow: 'rfc3665/2.01', protocol: 'tls' },
  { flow: 'rfc3665/2.02', protocol: 'tls' },
  { flow: 'rfc3665/2.03', protocol: 'tls' },
  { flow: 'rfc3665/2.04', protocol: 'tls' },
  { flow: 'rfc3665/3.01', protocol: 'tcp' },
  // Before, a proxy of the flow takes part.
  { flow: 'rfc3665/3.07', protocol: 'udp', messages: [8, 9, 10, 11, 12, 13] },
  { flow: 'rfc4916/5.2', protocol: 'tls' },
  { flow: 'rfc5626/3.2', protocol: 'tcp' },
  { flow: 'rfc5626/9.1', protocol: 'tcp' },
  // 2 is the answer to a request that the flow does not show.
  { flow: 'rfc5626/9.2', protocol: 'tcp', messages: [1, 3, 4] },
];

for (const { flow, protocol, messages } of FLOWS) {
  const all = flowMessages(flow);
  test(`flows: a proxy carries the messages of ${flow}, and changes only what is its own`, {
    skip: all === null && `no test material for ${flow}`,
  }, async () => {
    assert.ok(all !== null);
    const proxy = await carrier(protocol);
    for (const number of messages ?? all.map((_, i) => i + 1))
      await carry(proxy, all[number - 1] ?? assert.fail(`no message ${number}`));
  });
}

const shortened = flowMessages('rfc5626/9.4');
test('flows: the REGISTER of rfc5626/9.4, whose Via is left out there, goes nowhere', {
  skip: shortened === null && 'no test material for rfc5626/9.4',
}, async () => {
  const [register] = shortened ?? assert.fail();
  assert.ok(register !== undefined);
  const proxy = await carrier('tcp');
  await proxy.passes(register, []);
});
