/** Which queues this connection itself waits for jobs of: what is known here need not be asked of the server. */
export class OwnPulls {
  readonly #sources = new Map<string, Set<() => boolean>>();

  /** Notes a source of a queue; the returned function forgets it. `waits`: whether a pull of it is out. */
  add(queue: string, waits: () => boolean): () => void {
    const known = this.#sources.get(queue) ?? new Set();
    this.#sources.set(queue, known.add(waits));
    return () => {
      if (known.delete(waits) && known.size === 0) this.#sources.delete(queue);
    };
  }

  /** Whether a pull is out on a lane of this queue. */
  wait(queue: string): boolean {
    return [...(this.#sources.get(queue) ?? [])].some((waits) => waits());
  }
}
