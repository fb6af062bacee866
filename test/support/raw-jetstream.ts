import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';

/** A stored message as a stranger with the NATS CLI would see it. */
interface RawMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  header(name: string): string | undefined;
}

/** JetStream without any code of ours, to do what a stranger could do and see what an operator would see. */
export interface RawJetStream {
  publish(subject: string, data: Uint8Array, header?: Readonly<Record<string, string>>): Promise<void>;
  /** The newest message of a stream; `undefined` when it is empty. */
  lastOf(stream: string): Promise<RawMessage | undefined>;
  /** How many messages a stream holds. */
  messages(stream: string): Promise<number>;
  /** Hands everything that a stream holds now to `see`, in order. */
  readAll(stream: string, see: (data: Uint8Array) => void): Promise<void>;
  /** The names of all streams. */
  streams(): Promise<string[]>;
  removeConsumer(stream: string, name: string): Promise<void>;
  removeStream(stream: string): Promise<void>;
  close(): Promise<void>;
}

/** Connects. */
export async function rawJetStream(url: string): Promise<RawJetStream> {
  const connection = await connect({ servers: url });
  const manager = await jetstreamManager(connection);
  const state = async (stream: string) => (await manager.streams.info(stream)).state;
  return {
    publish: async (subject, data, header = {}) => {
      const sent = headers();
      for (const [name, value] of Object.entries(header)) sent.append(name, value);
      await jetstream(connection).publish(subject, data, { headers: sent });
    },
    lastOf: async (stream) => {
      const { messages, last_seq: seq } = await state(stream);
      if (messages === 0) return undefined;
      const message = await manager.streams.getMessage(stream, { seq });
      if (!message) return undefined;
      return {
        subject: message.subject,
        data: message.data,
        header: (name) => message.header?.get(name) || undefined,
      };
    },
    messages: async (stream) => (await state(stream)).messages,
    readAll: async (stream, see) => {
      const { messages, last_seq: last } = await state(stream);
      if (messages === 0) return;
      const consumer = await jetstream(connection).consumers.get(stream);
      for await (const message of await consumer.consume()) {
        see(message.data);
        if (message.seq >= last) return;
      }
    },
    streams: async () => {
      const names: string[] = [];
      for await (const name of manager.streams.names()) names.push(name);
      return names;
    },
    removeConsumer: async (stream, name) => {
      await manager.consumers.delete(stream, name);
    },
    removeStream: async (stream) => {
      await manager.streams.delete(stream);
    },
    close: () => connection.close(),
  };
}
