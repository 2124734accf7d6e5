/** sipsak asks a SIPp behind the proxy for OPTIONS, traces the way to it, and sends it a message. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../architecture/source-files.ts';
import { Child } from '../programs/child.ts';
import { freePort } from '../programs/free-port.ts';
import { missing } from '../programs/missing.ts';
import { startProxy } from '../programs/proxy.ts';
import { startSipp } from '../programs/sipp.ts';
import { tempFolder } from '../programs/temp-folder.ts';
import { callConfiguration, callRoutes } from '../scenarios/call-routes.ts';
import { assertAllGood, complaints } from '../scenarios/pair.ts';

/** The message, to which sipsak adds a Via. Its own message mode (-M) ends in a segmentation fault in version 0.9.8.1. */
const MESSAGE_FILE = join(tempFolder(), 'message');
const MESSAGE = [
  'MESSAGE sip:callee@127.0.0.1 SIP/2.0',
  'Max-Forwards: 70',
  'From: <sip:sipsak@127.0.0.1>;tag=1',
  'To: <sip:callee@127.0.0.1>',
  `Call-ID: sipsak-${process.pid}`,
  'CSeq: 1 MESSAGE',
  'Content-Type: text/plain',
  'Content-Length: 6',
  '',
  'Lunch?',
];
writeFileSync(MESSAGE_FILE, MESSAGE.join('\r\n'));

const TASKS = [
  { what: 'OPTIONS', args: ['-vv'], callee: 'callee-options', says: [/^SIP\/2\.0 200 OK/m] },
  {
    what: 'a trace',
    args: ['-T'],
    callee: 'callee-options',
    // The proxy refuses what may go no further; then the callee answers.
    says: [/^0: .*SIP\/2\.0 483 Too Many Hops\n.*SIP\/2\.0 200 OK/m],
  },
  {
    what: 'a message',
    args: ['-vv', '-f', MESSAGE_FILE],
    callee: 'callee-message',
    says: [/^SIP\/2\.0 200 OK/m],
  },
] as const;

for (const protocol of ['udp', 'tcp'] as const) {
  for (const { what, args, callee, says } of TASKS) {
    test(`sipsak: ${what} through the proxy by ${protocol}`, {
      skip: missing('sipsak') ?? missing('sipp') ?? false,
    }, async (t) => {
      const port = await freePort();
      const sipp = await startSipp({
        scenario: join(ROOT, `test/scenarios/sipp/${callee}.xml`),
        port,
        calls: 1,
      });
      t.after(() => sipp.stop());
      const proxy = await startProxy({
        yaml: callConfiguration().replace(/^listen: .*$/m, `listen: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]`),
        routes: callRoutes(`127.0.0.1:${port}`),
      });
      t.after(() => proxy.stop());
      const uri = `sip:callee@127.0.0.1:${proxy.portOf(protocol)}`;
      const sipsak = new Child('sipsak', [...args, '-E', protocol, '-s', uri]);
      t.after(() => sipsak.stop());
      const { code } = await sipsak.exited;
      const output = [...sipsak.out, ...sipsak.err].join('\n');
      assert.equal(code, 0, output);
      for (const pattern of says) assert.match(output, pattern);
      assertAllGood('callee', await sipp.result, 1);
      assert.deepEqual(complaints(proxy), []);
    });
  }
}
