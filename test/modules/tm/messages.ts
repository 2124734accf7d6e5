/** Messages of one call for the tests of tm: the caller is 10.0.0.2, the proxy 10.0.0.1, the callee 10.0.0.3. */

export const CALLER = { address: '10.0.0.2', port: 5060 };
export const CALLEE = { address: '10.0.0.3', port: 5060 };

interface RequestParts {
  readonly method?: string;
  readonly uri?: string;
  readonly branch?: string;
  readonly sentBy?: string;
  readonly toTag?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly cseqMethod?: string;
  /** Complete lines. */
  readonly headers?: string;
}

/** A request from the caller. */
export function request({
  method = 'INVITE',
  uri = 'sip:bob@10.0.0.3',
  branch = 'z9hG4bKcaller1',
  sentBy = '10.0.0.2',
  toTag = '',
  callId = 'call-1',
  cseq = 1,
  cseqMethod = method,
  headers = '',
}: RequestParts = {}): string {
  const to = toTag === '' ? '' : `;tag=${toTag}`;
  return `${method} ${uri} SIP/2.0
Via: SIP/2.0/UDP ${sentBy};branch=${branch}
Max-Forwards: 70
From: <sip:alice@10.0.0.2>;tag=alice
To: <sip:bob@10.0.0.3>${to}
Call-ID: ${callId}
CSeq: ${cseq} ${cseqMethod}
${headers}Content-Length: 0

`;
}

/** Value of the first header of this name; '' when there is none. */
export function header(text: string, name: string): string {
  const line = text.split('\r\n').find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return line === undefined ? '' : line.slice(name.length + 1).trim();
}

/** All Via values of a message, topmost first. */
export function vias(text: string): string[] {
  return text
    .split('\r\n')
    .filter((line) => line.startsWith('Via:'))
    .map((line) => line.slice(4).trim());
}

/** The callee's response to a request as the proxy sent it. */
export function response(
  sent: string,
  status: number,
  {
    toTag = 'bob',
    reason = 'Any',
    method = '',
  }: { readonly toTag?: string; readonly reason?: string; readonly method?: string } = {},
): string {
  const to = header(sent, 'To');
  const tagged = to.includes(';tag=') || status === 100 ? to : `${to};tag=${toTag}`;
  const [number = '', sentMethod = ''] = header(sent, 'CSeq').split(' ');
  return `SIP/2.0 ${status} ${reason}
${vias(sent)
  .map((via) => `Via: ${via}`)
  .join('\n')}
From: ${header(sent, 'From')}
To: ${tagged}
Call-ID: ${header(sent, 'Call-ID')}
CSeq: ${number} ${method === '' ? sentMethod : method}
Content-Length: 0

`;
}
