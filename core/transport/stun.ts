import { addressBytes } from '../sip/host.ts';

/** Bytes of a STUN header (RFC 5389 6). */
const HEADER_BYTES = 20;
/** What stands in every STUN message, and in no SIP message: those begin with a letter (RFC 5389 6, RFC 5626 8). */
const MAGIC_COOKIE = 0x21_12_a4_42;
/** Message types (RFC 5389 18.1). */
const BINDING_REQUEST = 0x00_01;
const BINDING_SUCCESS = 0x01_01;
const BINDING_ERROR = 0x01_11;
/** Attributes (RFC 5389 18.2). */
const ERROR_CODE = 0x00_09;
const UNKNOWN_ATTRIBUTES = 0x00_0a;
const XOR_MAPPED_ADDRESS = 0x00_20;
/** Attributes below this must be understood (RFC 5389 15). */
const FIRST_OPTIONAL = 0x80_00;
/** Those of them that authenticate a request; a keep-alive needs no authentication (RFC 5626 8.1). */
const CREDENTIALS: ReadonlySet<number> = new Set([0x00_06, 0x00_08, 0x00_14, 0x00_15]);
/** Unknown attributes that an error names. */
const MAX_NAMED = 8;

/** Whether a datagram is a STUN message and no SIP message. */
export function isStun(bytes: Buffer): boolean {
  return bytes.length >= HEADER_BYTES && bytes[0]! < 0x40 && bytes.readUInt32BE(4) === MAGIC_COOKIE;
}

/**
 * The answer to a STUN Binding request, by which a user agent keeps its flow open and learns its address (RFC 5626 4.4.2, 8): where the request
 * came from, or a 420 when it asks for more. Null for any other STUN message, and a malformed one: there is no answer to those.
 */
export function stunAnswer(bytes: Buffer, address: string, port: number): Buffer | null {
  const length = bytes.readUInt16BE(2);
  if (bytes.readUInt16BE(0) !== BINDING_REQUEST || HEADER_BYTES + length !== bytes.length) return null;
  const unknown = unknownAttributes(bytes);
  if (unknown === null) return null;
  return unknown.length > 0
    ? message(bytes, BINDING_ERROR, [unsupported(), attribute(UNKNOWN_ATTRIBUTES, listOf(unknown))])
    : message(bytes, BINDING_SUCCESS, [attribute(XOR_MAPPED_ADDRESS, mapped(bytes, address, port))]);
}

/** Attributes that we would have to understand and do not; null when the list of them is malformed. */
function unknownAttributes(bytes: Buffer): number[] | null {
  const unknown: number[] = [];
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return null;
    const type = bytes.readUInt16BE(at);
    // Each is filled up to a multiple of 4 bytes.
    at += 4 + Math.ceil(bytes.readUInt16BE(at + 2) / 4) * 4;
    if (type < FIRST_OPTIONAL && !CREDENTIALS.has(type) && unknown.length < MAX_NAMED) unknown.push(type);
  }
  return at === bytes.length ? unknown : null;
}

/** Address and port, hidden from NATs that rewrite what looks like theirs (RFC 5389 15.2). */
function mapped(request: Buffer, address: string, port: number): Buffer {
  const plain = addressBytes(address);
  // The cookie, and for IPv6 the transaction behind it.
  const mask = request.subarray(4, 4 + plain.length);
  const head = [0, plain.length === 4 ? 1 : 2, (port >> 8) ^ 0x21, (port & 0xff) ^ 0x12];
  return Buffer.from([...head, ...plain.map((byte, i) => byte ^ mask[i]!)]);
}

function unsupported(): Buffer {
  return attribute(ERROR_CODE, Buffer.concat([Buffer.from([0, 0, 4, 20]), Buffer.from('Unknown Attribute')]));
}

function listOf(types: readonly number[]): Buffer {
  return Buffer.from(types.flatMap((type) => [type >> 8, type & 0xff]));
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}

function message(request: Buffer, type: number, attributes: readonly Buffer[]): Buffer {
  const header = Buffer.from(request.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(
    attributes.reduce((sum, { length }) => sum + length, 0),
    2,
  );
  return Buffer.concat([header, ...attributes]);
}
