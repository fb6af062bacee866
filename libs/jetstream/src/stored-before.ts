import { type KV, Kvm } from '@nats-io/kv';
import { type Bus, type BusConnection, inside } from './bus.ts';
import { isApiError, manage } from './manage.ts';
import { bucketName, streamName } from './names.ts';

/** What is noted of the server that runs now. */
interface Note {
  /** Tells one life of it from the next. */
  readonly life: string;
  /** The last sequence of JOBS when this life was first seen. */
  readonly upTo: number;
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
export async function storedBefore(bus: Bus): Promise<number> {
  const inner = inside(bus);
  return manage(inner, 'what was stored before the server started', async () => {
    const name = bucketName(inner, 'settled');
    // Read at the leader: a lagging replica would show an older note.
    const kv = await new Kvm(inner.nc).open(name, { bindOnly: true, allow_direct: false });
    for (;;) {
      const upTo = await readOrNote(inner, kv);
      if (upTo !== undefined) return upTo;
    }
  });
}

/** @returns undefined when somebody else was faster, or the server died in between: then it has to be done again */
async function readOrNote(bus: BusConnection, kv: KV): Promise<number | undefined> {
  const server = bus.nc.info?.server_id;
  const now = await lookAt(bus, server);
  const entry = await kv.get(STORED_BEFORE_KEY);
  if (bus.nc.info?.server_id !== server) return undefined;
  const noted = entry ? (JSON.parse(entry.string()) as Note) : undefined;
  if (noted?.life === now.life) return noted.upTo;
  try {
    if (entry) await kv.update(STORED_BEFORE_KEY, JSON.stringify(now), entry.revision);
    else await kv.create(STORED_BEFORE_KEY, JSON.stringify(now));
    return now.upTo;
  } catch (error) {
    if (!isApiError(error, ...WRONG_LAST_SEQUENCE)) throw error;
    return undefined;
  }
}

/** Of a replicated stream it is the leader that may not know all; of any other the one process that has it. */
async function lookAt(bus: BusConnection, server: string | undefined): Promise<Note> {
  const manager = await bus.manager();
  const { created, state, cluster } = await manager.streams.info(streamName(bus, 'JOBS'));
  const { leader, leader_since: since } = cluster ?? {};
  const who = since === undefined ? server : `${leader} since ${since}`;
  return { life: `${created} ${who}`, upTo: state.last_seq };
}
