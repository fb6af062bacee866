import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

/** How far something has come, as the server itself says it. */
interface StreamState {
  /** Sequence of the newest message that was ever stored. */
  readonly last: number;
  /** Messages in it now. */
  readonly messages: number;
}

/** A consumer's state. */
interface ConsumerFacts {
  /** Everything up to this stream sequence is acknowledged. */
  readonly floor: number;
  /** Deliveries, repeated ones included. */
  readonly delivered: number;
  /** Messages that it has not delivered. */
  readonly pending: number;
  /** Messages delivered and not acknowledged. */
  readonly unacknowledged: number;
}

/** Looks at JetStream without any code of Jetbeat, as an operator would. */
export interface StreamWatch {
  stream(name: StreamName): Promise<StreamState>;
  /** The queue `default` with the normal priority. */
  lane(): Promise<ConsumerFacts>;
  /** By which the recorders read EVENTS. */
  recorder(): Promise<ConsumerFacts>;
  /** The lane delivers nothing, until `resume`: jobs can be piled up before a worker that is warm. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Copies every stream to so many nodes and waits until they have caught up. */
  replicate(replicas: number): Promise<void>;
  close(): Promise<void>;
}

/** The streams that rows look at. */
type StreamName = 'JOBS' | 'EVENTS';

const LANE = 'default_normal';
const PAUSE_MS = 600_000;
const REPLICATE_MS = 30_000;

/** Connects. */
export async function watchStreams(servers: string): Promise<StreamWatch> {
  const connection = await connect({ servers, name: 'bench watch' });
  const manager = await jetstreamManager(connection, { timeout: 20_000 });
  const consumer = async (stream: StreamName, name: string): Promise<ConsumerFacts> => {
    const info = await manager.consumers.info(stream, name);
    return {
      floor: info.ack_floor.stream_seq,
      delivered: info.delivered.consumer_seq,
      pending: info.num_pending,
      unacknowledged: info.num_ack_pending,
    };
  };
  return {
    async stream(name) {
      const { state } = await manager.streams.info(name);
      return { last: state.last_seq, messages: state.messages };
    },
    lane: () => consumer('JOBS', LANE),
    recorder: () => consumer('EVENTS', 'recorder'),
    async pause() {
      await manager.consumers.pause('JOBS', LANE, new Date(Date.now() + PAUSE_MS));
    },
    async resume() {
      await manager.consumers.resume('JOBS', LANE);
    },
    async replicate(replicas) {
      const names: string[] = [];
      for await (const name of manager.streams.names()) names.push(name);
      for (const name of names) await manager.streams.update(name, { num_replicas: replicas });
      const end = Date.now() + REPLICATE_MS;
      for (const name of names) {
        for (;;) {
          const { cluster } = await manager.streams.info(name);
          const current = cluster?.replicas?.filter((each) => each.current).length ?? 0;
          if (current >= replicas - 1) break;
          if (Date.now() > end) throw new Error(`${name} has not reached ${replicas} replicas in time`);
        }
      }
    },
    close: () => connection.close(),
  };
}
