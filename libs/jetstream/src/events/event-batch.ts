/** Events that are stored together, and one promise for all of them. */
export class EventBatch {
  readonly texts: string[] = [];
  /** What the texts and their commas take. */
  bytes = 0;
  /** Resolves when the batch is stored. An event that nobody waits for must not end the process when it is given up. */
  readonly stored: Promise<{ seq: number }>;
  readonly resolve: (stored: { seq: number }) => void;
  readonly reject: (error: Error) => void;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<{ seq: number }>();
    promise.catch(() => undefined);
    this.stored = promise;
    this.resolve = resolve;
    this.reject = reject;
  }

  add(text: string, bytes: number): void {
    this.texts.push(text);
    this.bytes += bytes;
  }
}
