export { askDoubt, serveDoubt } from './answers/doubt.ts';
export { askHeld, type HeldAnswers, type HeldJob, type HeldQuestion, serveHeld } from './answers/held.ts';
export type { JobEnding } from './answers/job-ending.ts';
export { askResult, serveResults } from './answers/results.ts';
export { openWantedEndings, type WantedEndings } from './answers/wanted-endings.ts';
export type { Bus } from './connection/bus.ts';
export { type BusOptions, connectBus } from './connection/connect-bus.ts';
export { serveControl, type Told, tellWorker } from './connection/control.ts';
export {
  BusClosedError,
  BusUnreachableError,
  EventQueueFullError,
  JetStreamCallError,
  PublishRefusedError,
  PublishUnconfirmedError,
  QueuesUnmadeError,
  type RefusalCode,
  ServerUnfitError,
  StorageFullError,
} from './connection/errors.ts';
export { type Log, silentLog } from './connection/log.ts';
export type { Serving } from './connection/serving.ts';
export { extendDelivery } from './delivery/acknowledge.ts';
export type { Arrival } from './delivery/arrival.ts';
export type { Delivery } from './delivery/delivery.ts';
export { type JobSource, type JobSourceParams, openJobSource, type PullEnd } from './delivery/job-source.ts';
export type { PullStatus } from './delivery/pull-book.ts';
export type { PullRequest } from './delivery/puller.ts';
export {
  createEventPublisher,
  type EventPublisher,
  type EventPublisherOptions,
} from './events/event-publisher.ts';
export {
  type EventDelivery,
  type EventSource,
  type EventSourceOptions,
  openEventSource,
} from './events/event-source.ts';
export { readEvents, type StoredEvents } from './events/read-events.ts';
export { HistoryBehindError, readToEnd } from './events/read-to-end.ts';
export type { JobToPublish, PublishResult } from './publishing/job-to-publish.ts';
export { publishJobs } from './publishing/publish-jobs.ts';
export { type DeadLetter, parkJob, publishDead, type RawMessage } from './publishing/publish-one.ts';
export {
  createPublisher,
  type Published,
  type Publisher,
  type PublisherParams,
} from './publishing/publisher.ts';
export { tellPublished } from './publishing/tell-published.ts';
export { type TellWithin, tellWithin } from './publishing/tell-within.ts';
export { mendQueueSettings, putQueueSettings, type QueueSettings } from './settings/queue-settings.ts';
export { putSettings, type SettingsWatch, watchSettings } from './settings/settings.ts';
export {
  mendTaskSettings,
  putTaskSettings,
  type TaskSettingsWatch,
  watchTaskSettings,
} from './settings/task-settings.ts';
export { type QueueSettingsWatch, watchQueueSettings } from './settings/watch-queue-settings.ts';
export { deleteQueueLanes, hasQueueMessages } from './streams/delete-queue.ts';
export { keepTopology } from './streams/keep-topology.ts';
export {
  jobSubject,
  LANES,
  type Lane,
  lanesOf,
  type Named,
  type ParkedWhat,
  parkedSubject,
  timerSubject,
} from './streams/names.ts';
export { loadSettled, lowerSettled, putSettled } from './streams/settled-marks.ts';
export { type Gauged, gaugeStorage } from './streams/storage-figures.ts';
export { storedAt } from './streams/stored-at.ts';
export { type StoredBefore, storedBefore } from './streams/stored-before.ts';
export {
  type ConsumerState,
  consumerState,
  type EventsState,
  eventsState,
  type JobsStreamState,
  jobsStreamState,
} from './streams/stream-state.ts';
export { ensureTopology, type TopologyParams } from './streams/topology.ts';
export { trimEvents } from './streams/trim-events.ts';
export {
  countWaiting,
  type JetStreamView,
  type LaneView,
  viewJetStream,
  type WaitingCount,
} from './streams/view.ts';
export {
  type HeardStorage,
  publishStorage,
  type StorageWatch,
  serveStorage,
  watchStorage,
} from './streams/watch-storage.ts';
export { type CancelledKeys, openCancelled, type Withdrawal } from './unique/cancelled.ts';
export {
  type Claimed,
  claimKey,
  clearReplaced,
  type EndTeller,
  endReplaced,
  giveUpKey,
  noteWaiting,
  releaseKey,
  type TakenKey,
  takeKey,
} from './unique/unique-keys.ts';
export { applyReview, type ListedNote, listNotes, noteOf } from './unique/unique-review.ts';
export {
  type DeadMessage,
  deadMessage,
  deleteDeadMessage,
  findDeadJob,
  malformedMessages,
} from './waiting/dead-letters.ts';
export {
  deleteJobMessage,
  findMessage,
  findParked,
  nextParked,
  removeParked,
  removeParkedAt,
  removeTimer,
  type StoredJob,
} from './waiting/find-message.ts';
export { type HandedOver, type HandOverParams, handOver } from './waiting/hand-over.ts';
export { keptInVain } from './waiting/keep-slot.ts';
export { createLeaseWatch, type Lease, type LeaseWatch, leaseTtlMs, takeLease } from './waiting/leases.ts';
export type { PassedOver } from './waiting/parked-walk.ts';
export { type Purged, purgePassed } from './waiting/purge-passed.ts';
export {
  parkedInQueue,
  type QueueMessage,
  type QueuePlace,
  queueMessages,
} from './waiting/queue-messages.ts';
export { queueMoves } from './waiting/queue-moves.ts';
export {
  type KnownRate,
  keepRate,
  type ReleasedRated,
  type ReleaseRatedParams,
  releaseRated,
} from './waiting/release-rated.ts';
export {
  type Changed,
  changeSemaphore,
  type Decided,
  keySlots,
  queueSlots,
  rateState,
  readSemaphore,
  type StoredSemaphore,
} from './waiting/semaphores.ts';
export { takeWaiting } from './waiting/take-waiting.ts';
export { type WaitingPage, type WaitingPlace, waitingJobs } from './waiting/waiting-jobs.ts';
