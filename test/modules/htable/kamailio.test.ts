import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { PATIENCE_MS } from '../../programs/child.ts';
import { freePort } from '../../programs/free-port.ts';
import { startKamailio } from '../../programs/kamailio.ts';
import { missing } from '../../programs/missing.ts';
import { startProxy } from '../../programs/proxy.ts';

/** Tables that both have. Long lifetimes: what is compared does not depend on the time that passes. */
const TABLES = [
  'a=>size=4;autoexpire=1000;initval=5',
  'b=>size=4',
  'k=>size=4;autoexpire=1000;updateexpire=0;initval=0',
];

type Step = readonly [deed: string, name: string, value?: string];

/** What is done, and with what; both answer with what comes of it. */
const STEPS: readonly Step[] = [
  ['get', 'a=>x'],
  ['inc', 'a=>x'],
  ['inc', 'a=>x'],
  ['get', 'a=>x'],
  ['dec', 'a=>y'],
  ['get', 'b=>x'],
  ['inc', 'b=>x'],
  ['get', 'b=>x'],
  ['int', 'b=>x', '-1'],
  ['inc', 'b=>x'],
  ['dec', 'b=>x'],
  ['dec', 'b=>x'],
  ['str', 'b=>s', 'text'],
  ['get', 'b=>s'],
  ['inc', 'b=>s'],
  ['get', 'b=>s'],
  ['str', 'b=>n', '12'],
  ['inc', 'b=>n'],
  ['null', 'b=>s'],
  ['get', 'b=>s'],
  ['null', 'b=>s'],
  ['get', 'b=>no::x=>y'],
  ['str', 'b=>no::x=>y', 'marks'],
  ['get', 'b=>no::x=>y'],
  // Lifetimes.
  ['ex', 'a=>x'],
  ['setex', 'a=>x', '5000'],
  ['ex', 'a=>x'],
  ['inc', 'a=>x'],
  ['ex', 'a=>x'],
  ['setex', 'a=>x', '5000'],
  ['int', 'a=>x', '1'],
  ['ex', 'a=>x'],
  ['ex', 'a=>none'],
  ['ex', 'b=>x'],
  ['inc', 'k=>x'],
  ['setex', 'k=>x', '5000'],
  ['inc', 'k=>x'],
  ['ex', 'k=>x'],
  ['int', 'k=>x', '7'],
  ['ex', 'k=>x'],
  ['setex', 'k=>none', '5000'],
  ['get', 'k=>none'],
  // Counts.
  ['str', 'b=>call::1', 'Red'],
  ['str', 'b=>call::2', 'green'],
  ['str', 'b=>ring::1', '5'],
  ['int', 'b=>ring::2', '5'],
  ['cn', 'b=>**'],
  ['cn', 'b=>~~^CALL'],
  ['cn', 'b=>^call'],
  ['cn', 'b=>~%::1'],
  ['cn', 'b=>%~ring'],
  ['cn', 'b=>==call::1'],
  ['cn', 'b=>==CALL::1'],
  ['cv', 'b=>~~^red'],
  ['cv', 'b=>e'],
  ['cv', 'b=>~%n'],
  ['cv', 'b=>%~R'],
  ['cv', 'b=>==5'],
  ['cv', 'b=>eq5'],
  ['cv', 'b=>eq6'],
  // Looking for items.
  ['has-eq', 'b', 'call::1'],
  ['has-eq', 'b', 'CALL::1'],
  ['has-ne', 'b', 'call::1'],
  ['has-re', 'b', '^CALL'],
  ['has-sw', 'b', 'ring'],
  ['has-sw', 'b', 'nothing'],
  ['value-eq', 'b', 'Red'],
  ['value-re', 'b', '^RED'],
  ['value-sw', 'b', 'x'],
  // Removing them.
  ['rmname-sw', 'b', 'call::1'],
  ['cn', 'b=>~~call'],
  ['rmre', 'b=>^CALL'],
  ['cn', 'b=>~~call'],
  ['rmvalue', 'b=>^5'],
  ['cn', 'b=>~~ring'],
  ['reset', 'b'],
  ['cn', 'b=>**'],
];

function told(condition: string): string {
  return `if (${condition}) { $avp(got) = "yes"; } else { $avp(got) = "no"; }`;
}

/** A step as a line of Kamailio's script: it leaves what it comes to in $avp(got). */
function scriptOf([deed, name, value = '']: Step): string {
  const text = JSON.stringify(value);
  const [kind = '', operator = ''] = deed.split('-');
  const got = (variable: string): string => `$avp(got) = $${variable}(${name});`;
  switch (kind) {
    case 'int':
      return `$sht(${name}) = ${value}; ${got('sht')}`;
    case 'str':
      return `$sht(${name}) = ${text}; ${got('sht')}`;
    case 'null':
      return `$sht(${name}) = $null; ${got('sht')}`;
    case 'setex':
      return `$shtex(${name}) = ${value}; ${got('shtex')}`;
    case 'has':
      return told(`sht_match_name("${name}", "${operator}", ${text})`);
    case 'value':
      return told(`sht_match_str_value("${name}", "${operator}", ${text})`);
    case 'rmname':
      return `sht_rm_name("${name}", "${operator}", ${text});`;
    case 'rmre':
      return `sht_rm_name_re("${name}");`;
    case 'rmvalue':
      return `sht_rm_value_re("${name}");`;
    case 'reset':
      return `sht_reset("${name}");`;
    case 'get':
      return got('sht');
    default:
      return got(`sht${kind}`);
  }
}

function kamailioText(port: number): string {
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=1
disable_tcp=yes
listen=udp:127.0.0.1:${port}
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "textops.so"
loadmodule "htable.so"
${TABLES.map((table) => `modparam("htable", "htable", "${table}")`).join('\n')}
request_route {
  $avp(got) = $null;
  switch ($hdr(X-Step)) {
${STEPS.map((step, index) => `    case "${index}": ${scriptOf(step)} break;`).join('\n')}
  }
  if ($avp(got) == $null) { append_to_reply("X-Got: none\\r\\n"); }
  else { append_to_reply("X-Got: is $avp(got)\\r\\n"); }
  sl_send_reply("200", "OK");
}
`;
}

const ROUTES = `import { defineRoutes } from 'kamaiki';
const STEPS: readonly (readonly [string, string, string?])[] = ${JSON.stringify(STEPS)};
export default defineRoutes({
  uses: ['pv', 'sl', 'textops', 'htable'],
  async request({ pv, ksr }) {
    const [deed, name, value = ''] = STEPS[Number(pv.$hdr('X-Step').get())] ?? ['', ''];
    const [kind, operator] = deed.split('-');
    const told = (yes: boolean) => (yes ? 'yes' : 'no');
    let got: string | number | bigint | null = null;
    switch (kind) {
      case 'get': got = await pv.$sht(name).get(); break;
      case 'inc': got = await pv.$shtinc(name).get(); break;
      case 'dec': got = await pv.$shtdec(name).get(); break;
      case 'ex': got = await pv.$shtex(name).get(); break;
      case 'cn': got = await pv.$shtcn(name).get(); break;
      case 'cv': got = await pv.$shtcv(name).get(); break;
      case 'int': await pv.$sht(name).set(Number(value)); got = await pv.$sht(name).get(); break;
      case 'str': await pv.$sht(name).set(value); got = await pv.$sht(name).get(); break;
      case 'null': await pv.$sht(name).set(null); got = await pv.$sht(name).get(); break;
      case 'setex': await pv.$shtex(name).set(Number(value)); got = await pv.$shtex(name).get(); break;
      case 'has': got = told(ksr.htable.sht_match_name(name, operator, value)); break;
      case 'value': got = told(ksr.htable.sht_match_str_value(name, operator, value)); break;
      case 'rmname': ksr.htable.sht_rm_name(name, operator, value); break;
      case 'rmre': ksr.htable.sht_rm_name_re(name); break;
      case 'rmvalue': ksr.htable.sht_rm_value_re(name); break;
      case 'reset': ksr.htable.sht_reset(name); break;
    }
    await ksr.textops.append_to_reply(got === null ? 'X-Got: none\\r\\n' : \`X-Got: is \${got}\\r\\n\`);
    return ksr.sl.sl_send_reply(200, 'OK');
  },
});
`;

/** Has a proxy do a step; resolves to what it came to. */
async function ask(socket: Socket, port: number, step: number): Promise<string> {
  const lines = [
    'OPTIONS sip:x@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bK${port}x${step}`,
    'From: <sip:test@127.0.0.1>;tag=1',
    'To: <sip:x@127.0.0.1>',
    `Call-ID: ${port}-${step}`,
    'CSeq: 1 OPTIONS',
    `X-Step: ${step}`,
    'Content-Length: 0',
  ];
  socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, '127.0.0.1');
  const [answer]: Buffer[] = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
  return /^X-Got: (.*)\r$/m.exec(answer?.toString() ?? '')?.[1] ?? `no answer: ${answer?.toString()}`;
}

test("htable: each step comes to what it comes to with Kamailio's module", {
  skip: missing('kamailio') ?? false,
}, async (t) => {
  const kamailio = await startKamailio(kamailioText(await freePort()));
  t.after(() => kamailio.stop());
  const own = await startProxy({
    yaml: `listen: ["udp:127.0.0.1:0"]
modules: { pv: {}, sl: {}, textops: {}, htable: { htable: ${JSON.stringify(TABLES)} } }`,
    routes: ROUTES,
  });
  t.after(() => own.stop());
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  t.after(() => socket.close());
  await once(socket, 'listening');
  const different: string[] = [];
  const said: string[] = [];
  for (const [index, step] of STEPS.entries()) {
    const theirs = await ask(socket, kamailio.port, index);
    const ours = await ask(socket, own.port, index);
    said.push(theirs);
    if (!isSame(step[0], ours, theirs)) different.push(`${step.join(' ')}: ${ours}, Kamailio: ${theirs}`);
  }
  assert.deepEqual(different, []);
  // They did do something: initval, counting, no counting without initval, and a value above all.
  assert.deepEqual(said.slice(0, 7), ['is 5', 'is 6', 'is 7', 'is 7', 'is 4', 'none', 'none']);
});

/** Lifetimes are compared by what they are near to, since time passes between the two. */
function isSame(deed: string, ours: string, theirs: string): boolean {
  if (deed !== 'ex' && deed !== 'setex') return ours === theirs;
  const [own, their] = [ours, theirs].map((text) => Number(text.replace('is ', '')));
  return Math.round((own ?? -1) / 500) === Math.round((their ?? -1) / 500);
}
