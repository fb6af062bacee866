import type { BusConnection } from '../connection/bus.ts';
import { streamName } from '../streams/names.ts';

interface Answer {
  readonly config?: { readonly num_replicas?: number; readonly allow_atomic?: boolean };
}

const ASK_MS = 1_000;
const decoder = new TextDecoder();

/**
 * Whether many jobs are better published in atomic batches. They are where JOBS is replicated: the servers agree once per batch
 * instead of once per job. A stream on one server is faster without, since it writes every message of a batch twice and makes
 * a store of its own for it (docs/decisions/batches.md).
 */
export class BatchUse {
  readonly #bus: BusConnection;
  #pays: Promise<boolean> | undefined;

  constructor(bus: BusConnection) {
    this.#bus = bus;
    // Another server may have another topology.
    bus.onReconnect(({ serverChanged }) => serverChanged && this.forget());
  }

  /** Asked once per connection; without an answer within a second it is false, as for who may not ask. */
  pays(): Promise<boolean> {
    this.#pays ??= this.#ask();
    return this.#pays;
  }

  /** What was known is not so any more. */
  forget(): void {
    this.#pays = undefined;
  }

  async #ask(): Promise<boolean> {
    const subject = `$JS.API.STREAM.INFO.${streamName(this.#bus, 'JOBS')}`;
    const reply = await this.#bus.replies.send({ subject, data: new Uint8Array(), timeoutMs: ASK_MS });
    const text = reply.kind === 'message' ? decoder.decode(reply.data) : '{}';
    const { config } = JSON.parse(text) as Answer;
    // Nothing that lasts: the stream is not there yet, or the server was away.
    if (!config && reply.kind !== 'timeout') this.forget();
    return config?.allow_atomic === true && (config.num_replicas ?? 1) > 1;
  }
}
