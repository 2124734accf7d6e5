import type { Frame } from './indexed-message.ts';
import { SipMessage } from './sip-message.ts';
import type { StatusLine } from './start-line.ts';

export class SipResponse extends SipMessage {
  readonly kind = 'response';
  readonly status: number;
  readonly reason: string;
  constructor(line: StatusLine, frame: Frame) {
    super(frame);
    this.status = line.status;
    this.reason = frame.text.slice(line.reasonStart, line.reasonEnd);
  }
}
