import { JetbeatError } from '@jetbeat/core';

/** No NATS server could be reached, or it refused the credentials; the message names the address and the cause. */
export class BusUnreachableError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('nats_unreachable', message, options);
  }
}

/** The handle was closed, so that nothing can be sent by it any more. */
export class BusClosedError extends JetbeatError {
  constructor() {
    super('nats_closed', 'the connection to NATS was closed by this process');
  }
}

/** The server cannot carry Jetbeat: JetStream is off, it is too old, or its limits are too small. */
export class ServerUnfitError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('nats_unfit', message, options);
  }
}

/** The server takes no consumers for these queues; all else is there. Their jobs are kept, and nobody can take them. */
export class QueuesUnmadeError extends ServerUnfitError {
  readonly queues: readonly string[];

  /** @param why what the server says, and what to do */
  constructor(queues: readonly string[], why: string, options?: { cause?: unknown }) {
    const [first = '', ...more] = queues;
    const others = more.length === 0 ? '' : ` and ${more.length} more`;
    super(`no worker can take jobs from the queue ${first}${others}: ${why}`, options);
    this.queues = queues;
  }
}

/** A call to JetStream's management did not succeed within its bound. */
export class JetStreamCallError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('jetstream_call_failed', message, options);
  }
}

/** No answer came in time: the message may have been stored. Whoever publishes it again says so with `repeat`. */
export class PublishUnconfirmedError extends JetbeatError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('publish_unconfirmed', message, options);
  }
}

/** Why a publish was refused. */
export type RefusalCode =
  | 'not_connected'
  | 'payload_too_large'
  | 'storage_full'
  /** As many jobs wait in its queue as may. */
  | 'queue_full'
  | 'no_stream'
  /** Another message of the subject was faster. */
  | 'wrong_sequence'
  | 'publish_refused';

/** The message was definitely not stored. */
export class PublishRefusedError extends JetbeatError {
  declare readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}

/**
 * There is no room for it: refused in time by the storage guard, while there is still room for the jobs that are there, or by
 * the server itself. It is the same for whoever has to do something about it.
 */
export class StorageFullError extends PublishRefusedError {
  constructor(refusal: string) {
    super('storage_full', refusal);
  }
}

/** More events wait to be stored than the publisher may hold; its owner did not heed `full`. */
export class EventQueueFullError extends JetbeatError {
  constructor(held: number) {
    super('event_queue_full', `${held} events already wait to be stored; wait until the publisher has space`);
  }
}
