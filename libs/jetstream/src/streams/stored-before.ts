import type { StreamInfo } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { isApiError, manage } from '../connection/manage.ts';
import { bucketName, streamName } from './names.ts';

/** What is noted of the server that runs now. */
interface Note {
  /** Tells one life of it from the next. */
  readonly life: string;
  /** The last sequence of JOBS when this life was first seen. */
  readonly upTo: number;
  /** When that was, by the server's clock, RFC 3339; absent in notes of earlier versions. */
  readonly at?: string | undefined;
}

/** What a server that has died since may have stored and handed out. */
export interface StoredBefore {
  /** Up to this sequence of JOBS; 0: nothing, since JOBS had nothing when this life of the server was first seen. */
  readonly upTo: number;
  /** How long ago, at least, this life of the server was first seen, in milliseconds. */
  readonly forMs: number;
}

/** No queue is called like this: a dot is never in a queue's name. */
export const STORED_BEFORE_KEY = 'stored.before';
/** The write lost against another one; reading again shows what to do. */
const WRONG_LAST_SEQUENCE = [10071, 10164];

/**
 * Up to which sequence of JOBS messages may have been stored, and handed out, by a server that has died since. It can have
 * forgotten who got them and who acknowledged them, so whoever did not live through its death may take none of these for
 * new. It is noted once for each life of the server, by whoever sees that life first; the later that is, the more is
 * suspect without need.
 * @throws JetStreamCallError, BusClosedError; JetStreamApiError of the client when the topology is missing
 */
export async function storedBefore(bus: Bus): Promise<StoredBefore> {
  const inner = inside(bus);
  return manage(inner, 'what was stored before the server started', async () => {
    const name = bucketName(inner, 'settled');
    // Read at the leader: a lagging replica would show an older note.
    const kv = await new Kvm(inner.nc).open(name, { bindOnly: true, allow_direct: false });
    for (;;) {
      const found = await readOrNote(inner, kv);
      if (found) return found;
    }
  });
}

/** @returns undefined when somebody else was faster, or the server died in between: then it has to be done again */
async function readOrNote(bus: BusConnection, kv: KV): Promise<StoredBefore | undefined> {
  const server = bus.nc.info?.server_id;
  const now = await lookAt(bus, server);
  const entry = await kv.get(STORED_BEFORE_KEY);
  if (bus.nc.info?.server_id !== server) return undefined;
  const noted = entry ? (JSON.parse(entry.string()) as Note) : undefined;
  if (noted?.life === now.life) return { upTo: noted.upTo, forMs: between(noted.at, now.at) };
  try {
    if (entry) await kv.update(STORED_BEFORE_KEY, JSON.stringify(now), entry.revision);
    else await kv.create(STORED_BEFORE_KEY, JSON.stringify(now));
    return { upTo: now.upTo, forMs: 0 };
  } catch (error) {
    if (!isApiError(error, ...WRONG_LAST_SEQUENCE)) throw error;
    return undefined;
  }
}

/** Of a replicated stream it is the leader that may not know all; of any other the one process that has it. */
async function lookAt(bus: BusConnection, server: string | undefined): Promise<Note> {
  const manager = await bus.manager();
  // The client has no name for the time of the answer.
  const info: { ts?: string } & StreamInfo = await manager.streams.info(streamName(bus, 'JOBS'));
  const { created, state, cluster, ts: at } = info;
  const { leader, leader_since: since } = cluster ?? {};
  const who = since === undefined ? server : `${leader} since ${since}`;
  return { life: `${created} ${who}`, upTo: state.last_seq, at };
}

/** By one clock, that of the server; 0 where it is not known. */
function between(from: string | undefined, to: string | undefined): number {
  return Math.max(0, Date.parse(to ?? '') - Date.parse(from ?? '') || 0);
}
