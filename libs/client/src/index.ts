export { type Client, type ClientOptions, connect } from './connect.ts';
export type { ItemWithOptions } from './enqueue-many.ts';
export { EnqueueError, EnqueueManyError, type ItemFailure } from './errors.ts';
export type { EnqueuedJob, EnqueueOptions, Warning } from './prepare.ts';
export type { JobHandle, ResultOptions, SentJob } from './result.ts';
export {
  JobCancelledError,
  JobExpiredError,
  JobFailedError,
  ResultTimeoutError,
} from './result-errors.ts';
