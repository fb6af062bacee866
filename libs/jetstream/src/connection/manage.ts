import { JetbeatError } from '@jetbeat/core';
import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { InvalidArgumentError } from '@nats-io/nats-core';
import type { BusConnection } from './bus.ts';
import { BusClosedError, JetStreamCallError } from './errors.ts';
import { pause } from './pause.ts';

/** Codes of JetStream's API errors that are acted on (nats-server, `server/errors.json`). */
export const API = {
  consumerNotFound: 10014,
  insufficientResources: 10023,
  tooManyConsumers: 10026,
  memoryExceeded: 10028,
  deleteFailed: 10057,
  noMessage: 10037,
  sequenceNotFound: 10043,
  storageExceeded: 10047,
  streamConfigInvalid: 10052,
  messageTooLarge: 10054,
  streamInUse: 10058,
  streamNotFound: 10059,
  wrongLastSequence: 10071,
  storeFailed: 10077,
  consumerExists: 10148,
  duplicateInProcess: 10158,
  wrongLastSequenceUnknown: 10164,
  batchesOff: 10174,
  tooManyBatches: 10210,
} as const;

const RETRY_MS = 200;

/**
 * Makes one call to JetStream's management, again while the server is away or not ready, within a bound of two calls'
 * time. The call must be one that may be repeated. What the server decided (JetStreamApiError) is thrown as it is.
 * @throws JetStreamCallError when there was no answer in time; BusClosedError
 */
export async function manage<T>(
  bus: BusConnection,
  what: string,
  call: (jsm: JetStreamManager) => Promise<T>,
): Promise<T> {
  const end = performance.now() + 2 * bus.callTimeoutMs;
  const left = () => Math.max(0, end - performance.now());
  let cause: unknown;
  while (left() > 0) {
    if (bus.closing.signal.aborted) throw new BusClosedError();
    if (!(await bus.whenConnected(left()))) continue;
    try {
      return await bus.unlessLost(bus.manager().then(call));
    } catch (error) {
      if (isDecision(error)) throw error;
      cause = error;
    }
    await pause(Math.min(RETRY_MS, left()), bus.closing.signal);
  }
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  const text = `${what}: no answer from JetStream within ${2 * bus.callTimeoutMs} ms${why}`;
  throw new JetStreamCallError(text, { cause });
}

/** The server has decided, or the call was wrong; 503 without a full store only says that it is not ready. */
function isDecision(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof InvalidArgumentError || error instanceof JetbeatError)
    return true;
  return (
    error instanceof JetStreamApiError && (error.status !== 503 || error.code === API.insufficientResources)
  );
}

/** Whether the server answered with this error. */
export function isApiError(error: unknown, ...codes: readonly number[]): error is JetStreamApiError {
  return error instanceof JetStreamApiError && codes.includes(error.code);
}
