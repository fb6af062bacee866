import type { NatsConnection } from '@nats-io/nats-core';

/** What the client (3.4) has inside to send protocol text; the types do not show it. */
interface Wire {
  readonly protocol?: { readonly sendCommand?: (text: string) => void };
}

/** A text so long goes out at once, in characters. */
const LONG = 32_768;

/**
 * Sends acknowledgements. There is one for every job, and the client's `publish` makes three buffers of each; so those of one turn of
 * the event loop leave as one text. With a client that has no way in for that they are published one by one.
 */
export class AckWriter {
  readonly #nc: NatsConnection;
  readonly #write: ((text: string) => void) | undefined;
  #text = '';

  constructor(nc: NatsConnection) {
    this.#nc = nc;
    const { protocol } = nc as NatsConnection & Wire;
    if (typeof protocol?.sendCommand === 'function') this.#write = (text) => protocol.sendCommand?.(text);
  }

  /** @param subject as JetStream gave it, so it holds no blank */
  send(subject: string): void {
    if (!this.#write) {
      this.#nc.publish(subject, '+ACK');
      return;
    }
    if (this.#text === '') queueMicrotask(() => this.flush());
    this.#text += `PUB ${subject} 4\r\n+ACK\r\n`;
    if (this.#text.length > LONG) this.flush();
  }

  /** Sends what is left of this turn, so that what is sent next comes after it. Never throws. */
  flush(): void {
    const text = this.#text;
    if (text === '') return;
    this.#text = '';
    // What is lost with a closed connection comes again elsewhere.
    if (!this.#nc.isClosed()) this.#write?.(text);
  }
}
