import { decodeQueueSettings, encodeQueueSettings, type QueueSettings } from '@jetbeat/core';
import type { Bus } from '../connection/bus.ts';
import { mendTold, putTold, type ToldKind } from './told-settings.ts';

export type { QueueSettings } from '@jetbeat/core';

/** What every process is told of queues. */
export const TOLD_OF_QUEUES: ToldKind<QueueSettings> = {
  kind: 'queue',
  encode: encodeQueueSettings,
  decode: decodeQueueSettings,
};

/** Tells every process what holds for a queue now: `putTold`. */
export function putQueueSettings(bus: Bus, queue: string, settings: QueueSettings): Promise<void> {
  return putTold(bus, TOLD_OF_QUEUES, queue, settings);
}

/** Makes what is told of queues agree with the truth: `mendTold`. */
export function mendQueueSettings(
  bus: Bus,
  truth: () => Promise<ReadonlyMap<string, QueueSettings>>,
): Promise<string[]> {
  return mendTold(bus, TOLD_OF_QUEUES, truth);
}
