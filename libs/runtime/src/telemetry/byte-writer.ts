const FIRST_BYTES = 16_384;
/** One large request does not make all that follow large. */
const MAX_FIRST_BYTES = 2 ** 20;
/** A length that comes later has its place: a varint may be longer than it must. */
const LENGTH_BYTES = 3;
/** Longer texts are left to Node, which takes longer to begin with. */
const SHORT = 120;
const NIBBLES = Uint8Array.from({ length: 128 }, (_, code) => {
  return Math.max(0, '0123456789abcdef'.indexOf(String.fromCharCode(code)));
});

/** Writes protobuf (https://protobuf.dev/programming-guides/encoding/) into a buffer that grows. */
export class ByteWriter {
  /** Where the next byte goes. */
  at = 0;
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);

  /** Gives away what was written, and begins anew in another buffer of the same size: to copy it would cost more. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.at);
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(this.#bytes.length, MAX_FIRST_BYTES));
    this.at = 0;
    return taken;
  }

  /** A copy of what was written since `from`. */
  since(from: number): Uint8Array {
    return Uint8Array.from(this.#bytes.subarray(from, this.at));
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.at++] = value;
  }

  /** Bytes as they are. */
  raw(content: Uint8Array): void {
    this.#room(content.length);
    this.#bytes.set(content, this.at);
    this.at += content.length;
  }

  /** Begins a field whose length is known later. @returns what `close` takes */
  open(tag: number, lengthBytes = LENGTH_BYTES): number {
    this.#room(1 + lengthBytes);
    this.#bytes[this.at] = tag;
    this.at += 1 + lengthBytes;
    return this.at;
  }

  close(start: number, lengthBytes = LENGTH_BYTES): void {
    const bytes = this.#bytes;
    let length = this.at - start;
    for (let at = start - lengthBytes; at < start - 1; at++) {
      bytes[at] = (length & 0x7f) | 0x80;
      length >>>= 7;
    }
    bytes[start - 1] = length;
  }

  text(tag: number, text: string): void {
    const { length } = text;
    this.#room(1 + LENGTH_BYTES + 3 * length);
    if (length < SHORT && this.#ascii(tag, text, length)) return;
    const start = this.open(tag);
    this.at += this.#bytes.write(text, this.at, 'utf8');
    this.close(start);
  }

  /** @returns false when there was another letter; then nothing is written */
  #ascii(tag: number, text: string, length: number): boolean {
    const bytes = this.#bytes;
    let at = this.at;
    bytes[at++] = tag;
    bytes[at++] = length;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[at++] = code;
    }
    this.at = at;
    return true;
  }

  /** Bytes that are given as hexadecimal digits, fewer than 256 of them. */
  hex(tag: number, digits: string): void {
    const length = digits.length >>> 1;
    this.#room(2 + length);
    const bytes = this.#bytes;
    let at = this.at;
    bytes[at++] = tag;
    bytes[at++] = length;
    for (let index = 0; index < digits.length; index += 2) {
      const upper = NIBBLES[digits.charCodeAt(index)] ?? 0;
      bytes[at++] = (upper << 4) | (NIBBLES[digits.charCodeAt(index + 1)] ?? 0);
    }
    this.at = at;
  }

  /** A whole number that is not negative, as a varint; a negative one as ten bytes. */
  number(tag: number, value: number): void {
    this.#room(11);
    const bytes = this.#bytes;
    bytes[this.at++] = tag;
    if (value >= 0 && value < 0x80) {
      bytes[this.at++] = value;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      bytes[this.at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    bytes[this.at++] = Number(rest);
  }

  /** Unix milliseconds with fractions, as nanoseconds in 64 bits. */
  time(tag: number, milliseconds: number): void {
    this.#room(9);
    const seconds = Math.floor(milliseconds / 1_000);
    const nanos = Math.round((milliseconds - seconds * 1_000) * 1e6);
    // seconds * 1e9 + nanos, in two halves of 32 bits: as one number it would lose its last digits.
    const upper = Math.floor(seconds / 65_536) * 1e9;
    const lower = (upper % 65_536) * 65_536 + (seconds % 65_536) * 1e9 + nanos;
    this.#bytes[this.at++] = tag;
    this.#fixed32(lower % 2 ** 32);
    this.#fixed32(Math.floor(upper / 65_536) + Math.floor(lower / 2 ** 32));
  }

  /** The flags of a span or a link: whether it is kept, and whether it, or a span's parent, may be of another process. */
  flags(tag: number, sampled: boolean, isRemote: boolean): void {
    this.#room(5);
    this.#bytes[this.at++] = tag;
    this.#fixed32((sampled ? 1 : 0) | 0x100 | (isRemote ? 0x200 : 0));
  }

  /** There must be room. */
  #fixed32(value: number): void {
    const bytes = this.#bytes;
    const { at } = this;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.at = at + 4;
  }

  #room(count: number): void {
    if (this.at + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.at + count));
    this.#bytes.copy(larger, 0, 0, this.at);
    this.#bytes = larger;
  }
}
