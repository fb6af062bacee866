import { type Bus, inside } from '../connection/bus.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { streamName } from './names.ts';

/**
 * When the first message at or after `seq` was stored, Unix milliseconds, by the server's clock; `undefined` where there is
 * none. `subject` may have wildcards.
 * @throws JetStreamCallError, BusClosedError
 */
export async function storedAt(
  bus: Bus,
  where: { readonly stream: 'JOBS' | 'EVENTS'; readonly seq: number; readonly subject: string },
): Promise<number | undefined> {
  const inner = inside(bus);
  const { stream, seq, subject } = where;
  return manage(inner, 'the age of a message', async (jsm) => {
    try {
      const query = { seq, next_by_subj: subject };
      const found = await jsm.streams.getMessage(streamName(inner, stream), query);
      return found?.time.getTime();
    } catch (error) {
      if (isApiError(error, API.noMessage)) return undefined;
      throw error;
    }
  });
}
