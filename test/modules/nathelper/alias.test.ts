import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineRoutes } from '../../../core/index.ts';
import { nathelper } from '../../../modules/nathelper/nathelper.ts';
import { proxyRig } from '../../proxy-rig.ts';
import { callOf, request } from '../fake-core.ts';

const { handle_ruri_alias } = nathelper.functions;

test('handle_ruri_alias: takes the alias off and sets the next hop', () => {
  const rows: [uri: string, after: string, nextHop: string][] = [
    ['sip:a@10.0.0.1;alias=198.51.100.7~5070~1', 'sip:a@10.0.0.1', 'sip:198.51.100.7:5070'],
    [
      'sip:a@10.0.0.1:5062;X=y;ALIAS=198.51.100.7~5070~2;z?h=v',
      'sip:a@10.0.0.1:5062;X=y;z?h=v',
      'sip:198.51.100.7:5070;transport=tcp',
    ],
    ['sips:a@h;alias=198.51.100.7~5070~3', 'sips:a@h', 'sip:198.51.100.7:5070;transport=tls'],
    ['sip:a@h;alias=[2001:db8::7]~80~5', 'sip:a@h', 'sip:[2001:db8::7]:80;transport=ws'],
    ['sip:a@h;alias=2001:db8::7~80~6', 'sip:a@h', 'sip:[2001:db8::7]:80;transport=wss'],
    ['sip:a@h;alias=192.0.2.7~1~1;alias=192.0.2.8~2~2', 'sip:a@h', 'sip:192.0.2.7:1'],
  ];
  for (const [uri, after, nextHop] of rows) {
    const msg = request({ uri });
    assert.equal(handle_ruri_alias.call(callOf(null, msg)), true, uri);
    assert.deepEqual([msg.uri, msg.nextHop], [after, nextHop]);
  }
});

test('handle_ruri_alias: false, with nothing changed, without an alias that can be followed', () => {
  const rows = [
    'sip:a@10.0.0.1',
    'sip:a;alias=192.0.2.7~1~1@h',
    ...[
      '',
      '=',
      '=192.0.2.7',
      '=192.0.2.7~5060',
      '=192.0.2.7~5060~1~1',
      '=192.0.2.7~0~1',
      '=192.0.2.7~65536~1',
      '=192.0.2.7~123456~1',
      '=192.0.2.7~~1',
      '=192.0.2.7~5060~0',
      '=192.0.2.7~5060~4',
      '=192.0.2.7~5060~udp',
      '=host.example.com~5060~1',
      '=192.0.2.256~5060~1',
      '=[]~5060~1',
    ].map((value) => `sip:a@h;alias${value}`),
    'sips:a@h;alias=192.0.2.7~5060~1',
    'sips:a@h;alias=192.0.2.7~5060~2',
    'tel:+1;alias=192.0.2.7~x~1',
  ];
  for (const uri of rows) {
    const msg = request({ uri });
    assert.equal(handle_ruri_alias.call(callOf(null, msg)), false, uri);
    assert.deepEqual([msg.uri, msg.nextHop], [uri, null]);
  }
});

const routes = defineRoutes({
  uses: ['nathelper', 'tm'],
  async request({ ksr }) {
    if (ksr.nathelper.nat_uac_test(1)) ksr.nathelper.set_contact_alias();
    ksr.nathelper.handle_ruri_alias();
    await ksr.tm.t_relay();
  },
});

const message = (uri: string, contact: string, id: number) => `MESSAGE ${uri} SIP/2.0
Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKn${id}
Max-Forwards: 70
From: <sip:a@example.com>;tag=1
To: <sip:b@example.com>
Call-ID: alias${id}
CSeq: 1 MESSAGE
Contact: ${contact}
Content-Length: 0

`;

test('set_contact_alias, handle_ruri_alias: a request to a Contact sent on before goes to where that one came from', async () => {
  const rig = await proxyRig(routes, { modules: { tm: {}, nathelper: {} } });
  await rig.receive(message('sip:b@198.51.100.20', '<sip:a@192.168.1.2:5060>', 1), {
    address: '198.51.100.9',
    port: 40_000,
  });
  const [sent] = rig.take();
  const contact = /\r\nContact: <(.*)>\r\n/.exec(sent?.text ?? '')?.[1] ?? '';
  assert.equal(contact, 'sip:a@192.168.1.2:5060;alias=198.51.100.9~40000~1');
  await rig.receive(message(contact, '<sip:b@198.51.100.20>', 2));
  assert.deepEqual(rig.starts(), ['MESSAGE sip:a@192.168.1.2:5060 SIP/2.0 -> 198.51.100.9:40000']);
});
