/** How far a program says it is. */
export interface Progress {
  /** Percent. */
  readonly value: number;
  readonly note?: string;
}

/** Longest line: what a job's result may be at most. */
const MAX_LINE = 1_048_576;
const MAX_NOTE = 1_024;

/** Reads what a program reports on its descriptor 3: one JSON object per line, `{"progress": 50, "note": "…"}` or `{"result": …}`. */
export class ReportLines {
  readonly #onProgress: (progress: Progress) => void;
  #pieces: Buffer[] = [];
  #length = 0;
  #line = 1;
  #result: unknown;
  #problem: string | undefined;

  constructor(onProgress: (progress: Progress) => void) {
    this.#onProgress = onProgress;
  }

  /** The last result that was reported. */
  get result(): unknown {
    return this.#result;
  }

  /** The first thing that was wrong, if any. */
  get problem(): string | undefined {
    return this.#problem;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      this.#keep(rest.subarray(0, end));
      this.#read();
      rest = rest.subarray(end + 1);
    }
    this.#keep(rest);
  }

  /** The program has ended; its last line needs no line end. */
  end(): void {
    if (this.#length > 0) this.#read();
  }

  /** Of a line that is too long only the length is kept. */
  #keep(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length > MAX_LINE) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(piece);
  }

  #read(): void {
    const text = Buffer.concat(this.#pieces).toString().trim();
    const isTooLong = this.#length > MAX_LINE;
    this.#pieces = [];
    this.#length = 0;
    const line = this.#line++;
    const problem = isTooLong
      ? `is longer than ${MAX_LINE} bytes`
      : text === ''
        ? undefined
        : this.#take(text);
    if (problem !== undefined) this.#problem ??= `line ${line} ${problem}`;
  }

  #take(text: string): string | undefined {
    let said: unknown;
    try {
      said = JSON.parse(text);
    } catch {
      return 'is no JSON';
    }
    if (typeof said !== 'object' || said === null || Array.isArray(said)) return 'is no JSON object';
    const { progress, note, result, ...unknown } = said as Record<string, unknown>;
    const [other] = Object.keys(unknown);
    if (other !== undefined) return `has the unknown field ${JSON.stringify(other)}`;
    if ('result' in said) this.#result = result;
    else if (progress === undefined) return 'has neither "progress" nor "result"';
    if (progress === undefined) return undefined;
    if (typeof progress !== 'number' || progress < 0 || progress > 100)
      return 'has a progress that is no number from 0 to 100';
    if (note !== undefined && typeof note !== 'string') return 'has a note that is no text';
    this.#onProgress({ value: progress, ...(note === undefined ? {} : { note: note.slice(0, MAX_NOTE) }) });
    return undefined;
  }
}
