import { encodeText, errors, Header, type SipMessage } from '../../core/index.ts';

/** `type/subtype` and parameters, on one line. */
const MEDIA_TYPE = /^[\w\-.!%*+`'~]+\/[\w\-.!%*+`'~]+[ \t]*(?:;[^\r\n]*)?$/;

/** Whether a message has a body, of this media type when one is named (parameters such as charset aside). */
export function hasBody(msg: SipMessage, type: string | undefined): boolean {
  if (msg.bodyLength === 0) return false;
  if (type === undefined) return true;
  const contentType = msg.first(Header.contentType);
  if (contentType === null) return false;
  const semicolon = contentType.indexOf(';');
  const bare = semicolon === -1 ? contentType : contentType.slice(0, semicolon);
  return bare.trim().toLowerCase() === type.toLowerCase();
}

/**
 * Gives a message a new body, with the Content-Type that goes with it.
 * @throws ERR_HEADER_LINES when `contentType` is no media type.
 */
export function setBody(msg: SipMessage, text: string, contentType: string): void {
  const type = encodeText(contentType);
  if (!MEDIA_TYPE.test(type)) {
    throw errors.ERR_HEADER_LINES('set_body', JSON.stringify(contentType), 'a media type such as text/plain');
  }
  msg.newBody = Buffer.from(encodeText(text), 'latin1');
  msg.newContentType = type;
}
