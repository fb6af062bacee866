import type { MsgHdrs } from '@nats-io/nats-core';
import type { BusConnection } from '../connection/bus.ts';
import { JetStreamCallError } from '../connection/errors.ts';
import { streamName } from '../streams/names.ts';

/** A message of a page, or its end with how many are left. */
export type Entry =
  | {
      readonly seq: number;
      readonly subject: string;
      readonly time: Date;
      readonly header: MsgHdrs;
      readonly data: Uint8Array;
      readonly left?: undefined;
    }
  | { readonly left: number };

/**
 * Reads a page of messages of JOBS by one request (NATS ADR-31). Any replica of the stream may answer. The end is missing when it did not come
 * in time.
 * @throws JetStreamCallError
 */
export async function* readEntries(bus: BusConnection, request: string): AsyncGenerator<Entry> {
  try {
    const subject = `$JS.API.DIRECT.GET.${streamName(bus, 'JOBS')}`;
    const how = { strategy: 'sentinel', maxWait: bus.callTimeoutMs } as const;
    for await (const { headers, data } of await bus.nc.requestMany(subject, request, how)) {
      // The end has a status: 204, or 404 where there was nothing at all.
      if (headers?.code === 204 || headers?.code === 404) {
        yield { left: Number(headers.get('Nats-Num-Pending') || 0) };
      } else if (headers?.has('Nats-Sequence')) {
        const time = new Date(headers.get('Nats-Time-Stamp'));
        const place = { seq: Number(headers.get('Nats-Sequence')), subject: headers.get('Nats-Subject') };
        yield { ...place, time, header: headers, data };
      }
    }
  } catch (cause) {
    throw new JetStreamCallError('reading JOBS failed', { cause });
  }
}
