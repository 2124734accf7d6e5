declare global {
  // The parts of Buffer that toString('latin1') and write(text, 'latin1') call, without their check of arguments; not in @types/node.
  interface Buffer {
    latin1Slice(start: number, end: number): string;
    latin1Write(text: string, offset: number, length: number): number;
  }
}

/** The global of this name is a getter, which is asked once. */
const Bytes = Buffer;

/** The latin1 view of bytes [0, end): one char a byte. */
export function latin1Text(bytes: Buffer, end: number): string {
  return bytes.latin1Slice(0, end);
}

/** A new buffer of `extra` bytes more than the text needs, which it starts with. The bytes behind it are not initialised. */
export function latin1Bytes(text: string, extra: number): Buffer {
  const bytes = Bytes.allocUnsafe(text.length + extra);
  bytes.latin1Write(text, 0, text.length);
  return bytes;
}
