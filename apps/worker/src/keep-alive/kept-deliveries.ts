/** A delivery that is to be extended. */
export interface ToKeep {
  /** Its job. */
  readonly id: string;
  readonly ackSubject: string;
}

/** Deliveries as they are handed to the thread: as one text, since objects cost more to hand over than to run a job. */
export interface KeptBatch {
  readonly number: number;
  readonly count: number;
  readonly text: string;
}

/** Deliveries that were handed over together. Their text is read only when one of them lasts. */
export class KeptDeliveries {
  #text: string;
  #gone: Uint8Array;
  #read: Map<number, ToKeep> | undefined;
  #size: number;

  constructor({ count, text }: KeptBatch) {
    this.#text = text;
    this.#gone = new Uint8Array(count);
    this.#size = count;
  }

  /** Neither an id nor a subject holds a blank or the end of a line. */
  static write(deliveries: readonly ToKeep[], number: number): KeptBatch {
    let text = '';
    for (const { id, ackSubject } of deliveries) text += `${id} ${ackSubject}\n`;
    return { number, count: deliveries.length, text };
  }

  /** How many are left. */
  get size(): number {
    return this.#size;
  }

  /** False when it is gone already. */
  release(place: number): boolean {
    if (this.#gone[place] !== 0) return false;
    this.#gone[place] = 1;
    this.#read?.delete(place);
    this.#size--;
    return true;
  }

  /** Those that are left. */
  all(): Iterable<ToKeep> {
    if (!this.#read) {
      this.#read = new Map();
      for (const [place, line] of this.#text.trimEnd().split('\n').entries()) {
        const [id = '', ackSubject = ''] = line.split(' ');
        if (this.#gone[place] === 0) this.#read.set(place, { id, ackSubject });
      }
      // One job of many that lasts must not keep the text of all.
      this.#text = '';
    }
    return this.#read.values();
  }
}
