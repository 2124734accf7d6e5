import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statelessBranch } from '../../core/proxy/stateless-branch.ts';
import { request } from '../modules/fake-core.ts';

const TARGET = 'sip:bob@10.0.0.3|10.0.0.3:5060';

test('stateless branch: a retransmission, the CANCEL and the ACK have that of the INVITE', () => {
  const branch = statelessBranch(request(), TARGET);
  assert.match(branch, /^z9hG4bK[0-9a-z]{8,}$/);
  assert.equal(statelessBranch(request({ headers: ['X-Again: 1'] }), TARGET), branch);
  for (const method of ['CANCEL', 'ACK'])
    assert.equal(statelessBranch(request({ method, to: '<sip:bob@example.com>;tag=t' }), TARGET), branch);
});

test('stateless branch: differs for each target, and for each request', () => {
  const branches = new Set<string>();
  for (let i = 0; i < 2_000; i += 1) {
    branches.add(statelessBranch(request(), `${TARGET}${i}`));
    branches.add(statelessBranch(request({ branch: `z9hG4bK${i}` }), TARGET));
  }
  assert.equal(branches.size, 4_000);
});

test('stateless branch: an RFC 2543 request is told by its parts: the same again, another for another CSeq or tag', () => {
  const old = { branch: '1', uri: 'sip:bob@10.0.0.3' };
  const branch = statelessBranch(request(old), TARGET);
  assert.equal(statelessBranch(request(old), TARGET), branch);
  for (const other of [
    { ...old, branch: '2' },
    { ...old, uri: 'sip:carol@10.0.0.3' },
    { ...old, from: '<sip:alice@example.org>;tag=other' },
    { ...old, to: '<sip:bob@example.com>;tag=t' },
  ])
    assert.notEqual(statelessBranch(request(other), TARGET), branch);
});
