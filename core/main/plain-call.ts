/** Where calls are that stay on this machine. */
export const LOOPBACK = '127.0.0.1';

/** A usual offer. */
export const SDP = [
  'v=0',
  `o=user1 53655765 2353687637 IN IP4 ${LOOPBACK}`,
  's=-',
  `c=IN IP4 ${LOOPBACK}`,
  't=0 0',
  'm=audio 6000 RTP/AVP 0',
  'a=rtpmap:0 PCMU/8000',
  '',
].join('\r\n');

/** Ports of loopback: of the caller, and of the proxy or callee that it calls. */
export interface Ends {
  readonly caller: number;
  readonly target: number;
}

function message(startLine: string, headers: readonly string[], body = ''): string {
  return [startLine, ...headers, `Content-Length: ${body.length}`, '', body].join('\r\n');
}

/** The lines of a header, as they stand there. */
function linesOf(text: string, name: string): string[] {
  return text.split('\r\n').filter((line) => line.startsWith(`${name}:`));
}

/** The value of a header that such a message has once; '' when it is not there. */
export function headerOf(text: string, name: string): string {
  const start = text.indexOf(`\r\n${name}: `);
  return start === -1 ? '' : text.slice(start + name.length + 4, text.indexOf('\r\n', start + 2));
}

/** The INVITE of a call; `call` makes it unique. */
export function inviteOf(call: string, { caller, target }: Ends): string {
  return message(
    `INVITE sip:bob@${LOOPBACK}:${target} SIP/2.0`,
    [
      `Via: SIP/2.0/UDP ${LOOPBACK}:${caller};branch=z9hG4bK-${call}-INVITE`,
      `From: sipp <sip:sipp@${LOOPBACK}:${caller}>;tag=1SIPpTag00${call}`,
      `To: sut <sip:bob@${LOOPBACK}:${target}>`,
      `Call-ID: ${call}-4711@${LOOPBACK}`,
      'CSeq: 1 INVITE',
      `Contact: sip:sipp@${LOOPBACK}:${caller}`,
      'Max-Forwards: 70',
      'Subject: Performance Test',
      'Content-Type: application/sdp',
    ],
    SDP,
  );
}

/** The ACK or BYE of a call whose 200 the caller has received. */
export function inDialogOf(
  method: 'ACK' | 'BYE',
  call: string,
  { ok, caller }: { readonly ok: string; readonly caller: number },
): string {
  const routes = linesOf(ok, 'Record-Route').toReversed();
  return message(`${method} ${headerOf(ok, 'Contact').replace(/^<|>$/g, '')} SIP/2.0`, [
    `Via: SIP/2.0/UDP ${LOOPBACK}:${caller};branch=z9hG4bK-${call}-${method}`,
    `From: ${headerOf(ok, 'From')}`,
    ...routes.map((line) => line.slice('Record-'.length)),
    `To: ${headerOf(ok, 'To')}`,
    `Call-ID: ${headerOf(ok, 'Call-ID')}`,
    `CSeq: ${method === 'ACK' ? 1 : 2} ${method}`,
    `Contact: sip:sipp@${LOOPBACK}:${caller}`,
    'Max-Forwards: 70',
    'Subject: Performance Test',
  ]);
}

/** The callee's response to a request as it came. */
export function responseTo(
  request: string,
  status: string,
  { callee, body = '' }: { readonly callee: number; readonly body?: string },
): string {
  const to = headerOf(request, 'To');
  return message(
    `SIP/2.0 ${status}`,
    [
      ...linesOf(request, 'Via'),
      ...linesOf(request, 'Record-Route'),
      `From: ${headerOf(request, 'From')}`,
      `To: ${to.includes(';tag=') ? to : `${to};tag=callee`}`,
      `Call-ID: ${headerOf(request, 'Call-ID')}`,
      `CSeq: ${headerOf(request, 'CSeq')}`,
      `Contact: <sip:${LOOPBACK}:${callee};transport=UDP>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
    ],
    body,
  );
}
