import { toStoredError } from '@jetbeat/core';
import { type Bus, type Delivery, publishDead } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import { untilDone } from './until-done.ts';

/**
 * A message that is no job becomes a dead letter with its cause and no job id; the next good job runs. The letter is
 * stored before the message goes.
 */
export async function buryMalformed(params: {
  bus: Bus;
  delivery: Delivery;
  error: unknown;
  signal: AbortSignal;
  log: Log;
  onRetry: (error: unknown, what: string) => void;
}): Promise<void> {
  const { bus, delivery, error, signal, log, onRetry } = params;
  log.warn(
    { subject: delivery.subject, seq: delivery.seq, err: error },
    'a message that is no job: to the dead letters',
  );
  const stored = toStoredError(error);
  await untilDone({
    act: () =>
      publishDead(bus, {
        reason: { code: 'malformed', text: stored.message },
        error: stored,
        from: { delivery },
      }),
    signal,
    onRetry: (failed) => onRetry(failed, 'publish the dead letter'),
  });
  delivery.ack();
}
