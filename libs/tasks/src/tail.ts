/** The end of a stream of bytes. */
export class Tail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #length = 0;
  #total = 0;

  /** @param limit bytes that are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether something was left out. */
  get isCut(): boolean {
    return this.#total > this.#limit;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    this.#total += chunk.length;
    // Joined now and then only, so that many small pieces cost no more than one large one.
    if (this.#length > 2 * this.#limit || this.#chunks.length > 1_024) this.#join();
  }

  /** The last `limit` bytes as text, NUL and what is no UTF-8 as U+FFFD; a character that the cut went through is left out. */
  text(limit = this.#limit): string {
    this.#join();
    const bytes = (this.#chunks[0] ?? Buffer.alloc(0)).subarray(-limit);
    let start = 0;
    if (this.#total > bytes.length) while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
    return bytes.subarray(start).toString().replaceAll('\0', '\uFFFD');
  }

  #join(): void {
    const whole = Buffer.from(Buffer.concat(this.#chunks).subarray(-this.#limit));
    this.#chunks = [whole];
    this.#length = whole.length;
  }
}
