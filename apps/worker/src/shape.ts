/** What of a worker can be changed while it runs, as it is now. */
export class Shape {
  #concurrency: number;
  #queues: ReadonlySet<string>;
  #draining = false;

  constructor(params: { readonly concurrency: number; readonly queues: readonly string[] }) {
    this.#concurrency = params.concurrency;
    this.#queues = new Set(params.queues);
  }

  /** Handlers that may run at once. */
  get concurrency(): number {
    return this.#concurrency;
  }

  get queues(): readonly string[] {
    return [...this.#queues];
  }

  /** It takes nothing new. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Whether jobs of this queue may run here. */
  serves(queue: string): boolean {
    return this.#queues.has(queue);
  }

  /** Whether jobs of this queue are to be taken. */
  takes(queue: string): boolean {
    return !this.#draining && this.#queues.has(queue);
  }

  /** Changes it. Returns whether anything is different. */
  set(change: {
    readonly concurrency?: number;
    readonly queues?: readonly string[];
    readonly draining?: boolean;
  }): boolean {
    const { concurrency = this.#concurrency, queues = this.queues, draining = this.#draining } = change;
    const areSame = queues.length === this.#queues.size && queues.every((queue) => this.#queues.has(queue));
    if (concurrency === this.#concurrency && draining === this.#draining && areSame) return false;
    this.#concurrency = concurrency;
    this.#draining = draining;
    this.#queues = new Set(queues);
    return true;
  }
}
