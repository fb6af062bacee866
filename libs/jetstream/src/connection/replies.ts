import {
  createInbox,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  type Subscription,
} from '@nats-io/nats-core';

/** What became of a request. After `timeout` and `lost` it may have been carried out. */
export type Reply =
  | { readonly kind: 'message'; readonly data: Uint8Array }
  /** Nobody listens on the subject. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'timeout' }
  /** The connection broke. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'closed' };

/** One request to be sent. */
export interface Request {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: MsgHdrs;
  readonly timeoutMs: number;
}

/** Who waits for an answer. */
export interface Open {
  /** Called once; it must not throw. */
  onReply(reply: Reply): void;
  /** By `performance.now()`. */
  readonly deadline: number;
}

const SWEEP_MS = 50;

/**
 * Requests and their replies over one subscription and one timer: thousands in flight cost no timer each, and a broken
 * connection ends them at once instead of after their timeouts.
 */
export class Replies {
  readonly #nc: NatsConnection;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #open = new Map<string, Open>();
  #next = 0;
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(nc: NatsConnection) {
    this.#nc = nc;
    this.#inbox = createInbox();
    this.#subscription = nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => this.#take(error, message),
    });
  }

  /** Sends one. Throws nothing: what the client refuses counts as `lost`, the caller has checked the size before. */
  send(request: Request): Promise<Reply> {
    const { subject, data, headers, timeoutMs } = request;
    return new Promise((onReply) => {
      this.post(subject, data, headers, { onReply, deadline: performance.now() + timeoutMs });
    });
  }

  /** Sends one whose answer goes to an object, for those who have thousands of them. Throws nothing either. */
  post(subject: string, data: Uint8Array, headers: MsgHdrs | undefined, open: Open): void {
    if (this.#closed || this.#nc.isClosed()) {
      open.onReply({ kind: 'closed' });
      return;
    }
    const token = (this.#next++).toString(36);
    this.#open.set(token, open);
    this.#sweep ??= setInterval(() => this.#expire(), SWEEP_MS);
    try {
      const reply = `${this.#inbox}.${token}`;
      this.#nc.publish(subject, data, headers ? { reply, headers } : { reply });
    } catch {
      this.#end(token, { kind: this.#nc.isClosed() ? 'closed' : 'lost' });
    }
  }

  /** Sends one that wants no answer. Throws nothing: who must know has an answer to a later one. */
  tell({ subject, data, headers }: Request): void {
    if (this.#closed || this.#nc.isClosed()) return;
    try {
      this.#nc.publish(subject, data, headers ? { headers } : {});
    } catch {
      // The connection is being closed.
    }
  }

  /** Ends all that are open as `lost`: their replies cannot come any more. */
  lose(): void {
    for (const token of [...this.#open.keys()]) this.#end(token, { kind: 'lost' });
  }

  /** Ends all that are open and takes no more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const token of [...this.#open.keys()]) this.#end(token, { kind: 'closed' });
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    if (!this.#nc.isClosed()) this.#subscription.unsubscribe();
  }

  #take(error: Error | null, message: Msg): void {
    if (error) return;
    const token = message.subject.slice(this.#inbox.length + 1);
    const nobody = message.data.length === 0 && message.headers?.code === 503;
    this.#end(token, nobody ? { kind: 'nobody' } : { kind: 'message', data: message.data });
  }

  #end(token: string, reply: Reply): void {
    const open = this.#open.get(token);
    if (!open) return;
    this.#open.delete(token);
    open.onReply(reply);
  }

  #expire(): void {
    if (this.#open.size === 0) {
      clearInterval(this.#sweep);
      this.#sweep = undefined;
      return;
    }
    const now = performance.now();
    for (const [token, open] of this.#open) if (open.deadline <= now) this.#end(token, { kind: 'timeout' });
  }
}
