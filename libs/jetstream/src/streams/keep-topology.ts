import { type Bus, inside } from '../connection/bus.ts';
import { QueuesUnmadeError } from '../connection/errors.ts';
import { pause } from '../connection/pause.ts';
import { ensureTopology, type TopologyParams } from './topology.ts';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

/**
 * Makes the topology, and again whenever NATS comes back as another server, since that may be an empty one: tried until
 * it succeeds or the bus is closed. Queues for which the server has no room are said in the log and left: all else goes on without them.
 * @throws what else `ensureTopology` throws, the first time
 */
export async function keepTopology(bus: Bus, params: TopologyParams): Promise<void> {
  const { closing, log } = inside(bus);
  const ensure = async () => {
    try {
      await ensureTopology(bus, params);
    } catch (err) {
      if (!(err instanceof QueuesUnmadeError)) throw err;
      log.warn({ err, queues: err.queues.length }, 'some queues cannot be made');
    }
  };
  await ensure();
  let turn = 0;
  const again = async () => {
    const mine = ++turn;
    for (
      let wait = FIRST_PAUSE_MS;
      mine === turn && !closing.signal.aborted;
      wait = Math.min(2 * wait, MAX_PAUSE_MS)
    ) {
      try {
        return await ensure();
      } catch (err) {
        log.warn({ err, retryInMs: wait }, 'the streams cannot be made; trying again');
        await pause(wait, closing.signal);
      }
    }
  };
  bus.onReconnect(({ serverChanged }) => {
    if (serverChanged) void again();
  });
}
