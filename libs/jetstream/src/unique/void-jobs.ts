import type { BusConnection } from '../connection/bus.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { publishStored } from '../publishing/publish-stored.ts';
import { bucketName, checkId } from '../streams/names.ts';

const TIMEOUT_MS = 5_000;
const decoder = new TextDecoder();

/**
 * Notes that no message of this job may lead to a run, as a cancel does (`openCancelled`): workers hear of it, and the recorder
 * forgets it when no message can come any more.
 * @throws PublishRefusedError, PublishUnconfirmedError, BusClosedError
 */
export async function noteVoid(bus: BusConnection, { id, why }: { id: string; why: string }): Promise<void> {
  await publishStored(bus, {
    subject: subjectOf(bus, id),
    data: Buffer.from(why),
    headers: [],
    timeoutMs: TIMEOUT_MS,
  });
}

/**
 * Why no message of this job may lead to a run; undefined: nobody has said so. Read at the leader: what a worker has heard
 * may be older.
 * @throws JetStreamCallError, BusClosedError
 */
export async function whyVoid(bus: BusConnection, id: string): Promise<string | undefined> {
  return manage(bus, 'reading a cancellation', async (jsm) => {
    try {
      const stream = `KV_${bucketName(bus, 'cancelled')}`;
      const found = await jsm.streams.getMessage(stream, { last_by_subj: subjectOf(bus, id) });
      return !found || found.header?.get('KV-Operation') ? undefined : decoder.decode(found.data);
    } catch (error) {
      if (isApiError(error, API.noMessage)) return undefined;
      throw error;
    }
  });
}

function subjectOf(bus: BusConnection, id: string): string {
  return `$KV.${bucketName(bus, 'cancelled')}.${checkId(id)}`;
}
