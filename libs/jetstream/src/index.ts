export { extendDelivery } from './acknowledge.ts';
export type { Bus } from './bus.ts';
export { type CancelledKeys, openCancelled } from './cancelled.ts';
export { type BusOptions, connectBus } from './connect-bus.ts';
export type { Delivery } from './delivery.ts';
export { askDoubt, serveDoubt } from './doubt.ts';
export {
  BusClosedError,
  BusUnreachableError,
  EventQueueFullError,
  JetStreamCallError,
  PublishRefusedError,
  PublishUnconfirmedError,
  type RefusalCode,
  ServerUnfitError,
} from './errors.ts';
export { createEventPublisher, type EventPublisher, type EventPublisherOptions } from './event-publisher.ts';
export {
  type EventDelivery,
  type EventSource,
  type EventSourceOptions,
  openEventSource,
} from './event-source.ts';
export { deleteJobMessage, findMessage, removeParked, removeTimer, type StoredJob } from './find-message.ts';
export { askHeld, type HeldAnswers, type HeldJob, type HeldQuestion, serveHeld } from './held.ts';
export { type JobSource, type JobSourceParams, openJobSource, type PullEnd } from './job-source.ts';
export { keepTopology } from './keep-topology.ts';
export { type Log, silentLog } from './log.ts';
export {
  jobSubject,
  type Named,
  type ParkedWhat,
  parkedSubject,
  timerSubject,
} from './names.ts';
export { type JobToPublish, type PublishResult, publishJobs } from './publish-jobs.ts';
export { type DeadLetter, parkJob, publishDead, type RawMessage } from './publish-one.ts';
export { createPublisher, type Published, type Publisher, type PublisherParams } from './publisher.ts';
export type { PullStatus } from './pull-book.ts';
export type { PullRequest } from './puller.ts';
export { HistoryBehindError, readToEnd } from './read-to-end.ts';
export type { Serving } from './serving.ts';
export { loadSettled, putSettled } from './settled-marks.ts';
export {
  type ConsumerState,
  consumerState,
  type EventsState,
  eventsState,
  type JobsStreamState,
  jobsStreamState,
} from './stream-state.ts';
export { ensureTopology, type TopologyParams } from './topology.ts';
export { trimEvents } from './trim-events.ts';
