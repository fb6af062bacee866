import { checkName } from '@jetbeat/core';
import { Kvm } from '@nats-io/kv';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { bucketName } from './names.ts';
import { STORED_BEFORE_KEY } from './stored-before.ts';

/** The write lost against another one; reading again shows what to do. */
const WRONG_LAST_SEQUENCE = [10071, 10164];

/**
 * Notes the highest sequence of a queue in JOBS that was settled. By this it only ever rises, whoever calls it.
 * @throws JetStreamCallError, BusClosedError, InvalidInputError
 */
export async function putSettled(bus: Bus, queue: string, seq: number): Promise<void> {
  const inner = inside(bus);
  checkName('queue', queue);
  await manage(inner, 'noting what is settled', async () => {
    const kv = await open(inner);
    for (;;) {
      const entry = await kv.get(queue);
      if (entry && Number(entry.string()) >= seq) return;
      try {
        if (entry) await kv.update(queue, String(seq), entry.revision);
        else await kv.create(queue, String(seq));
        return;
      } catch (error) {
        if (!isApiError(error, ...WRONG_LAST_SEQUENCE)) throw error;
      }
    }
  });
}

/**
 * Lowers every mark that is above `upTo` to it: JOBS is another stream, or has lost its end, and counts on from there.
 * @throws JetStreamCallError, BusClosedError
 */
export async function lowerSettled(bus: Bus, upTo: number): Promise<void> {
  const inner = inside(bus);
  await manage(inner, 'lowering what is settled', async () => {
    const kv = await open(inner);
    for await (const queue of await kv.keys()) {
      if (queue === STORED_BEFORE_KEY) continue;
      const entry = await kv.get(queue);
      if (!entry || Number(entry.string()) <= upTo) continue;
      try {
        await kv.update(queue, String(upTo), entry.revision);
      } catch (error) {
        // Another recorder was faster, with the same.
        if (!isApiError(error, ...WRONG_LAST_SEQUENCE)) throw error;
      }
    }
  });
}

/**
 * Reads the highest settled sequence of these queues; one without is left out.
 * @throws JetStreamCallError, BusClosedError, InvalidInputError
 */
export async function loadSettled(bus: Bus, queues: readonly string[]): Promise<Map<string, number>> {
  const inner = inside(bus);
  const marks = new Map<string, number>();
  for (const queue of queues) {
    checkName('queue', queue);
    const entry = await manage(inner, 'reading what is settled', async () => {
      try {
        return await (await open(inner)).get(queue);
      } catch (error) {
        if (isApiError(error, API.noMessage)) return null;
        throw error;
      }
    });
    const seq = entry ? Number(entry.string()) : 0;
    if (seq > 0) marks.set(queue, seq);
  }
  return marks;
}

/** Reads at the leader: a lagging replica would show an older mark. */
function open(bus: BusConnection) {
  return new Kvm(bus.nc).open(bucketName(bus, 'settled'), { bindOnly: true, allow_direct: false });
}
