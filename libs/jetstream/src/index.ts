export { extendDelivery } from './acknowledge.ts';
export type { Arrival } from './arrival.ts';
export type { Bus } from './bus.ts';
export { type CancelledKeys, openCancelled, type Withdrawal } from './cancelled.ts';
export { type BusOptions, connectBus } from './connect-bus.ts';
export { serveControl, type Told, tellWorker } from './control.ts';
export {
  type DeadMessage,
  deadMessage,
  deleteDeadMessage,
  findDeadJob,
  malformedMessages,
} from './dead-letters.ts';
export { deleteQueueLanes, hasQueueMessages } from './delete-queue.ts';
export type { Delivery } from './delivery.ts';
export { askDoubt, serveDoubt } from './doubt.ts';
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
} from './errors.ts';
export { createEventPublisher, type EventPublisher, type EventPublisherOptions } from './event-publisher.ts';
export {
  type EventDelivery,
  type EventSource,
  type EventSourceOptions,
  openEventSource,
} from './event-source.ts';
export {
  deleteJobMessage,
  findMessage,
  findParked,
  nextParked,
  removeParked,
  removeParkedAt,
  removeTimer,
  type StoredJob,
} from './find-message.ts';
export { type HandedOver, type HandOverParams, handOver } from './hand-over.ts';
export { askHeld, type HeldAnswers, type HeldJob, type HeldQuestion, serveHeld } from './held.ts';
export type { JobEnding } from './job-ending.ts';
export { type JobSource, type JobSourceParams, openJobSource, type PullEnd } from './job-source.ts';
export type { JobToPublish, PublishResult } from './job-to-publish.ts';
export { keptInVain } from './keep-slot.ts';
export { keepTopology } from './keep-topology.ts';
export { createLeaseWatch, type Lease, type LeaseWatch, leaseTtlMs, takeLease } from './leases.ts';
export { type Log, silentLog } from './log.ts';
export {
  jobSubject,
  LANES,
  type Lane,
  lanesOf,
  type Named,
  type ParkedWhat,
  parkedSubject,
  timerSubject,
} from './names.ts';
export type { PassedOver } from './parked-walk.ts';
export { publishJobs } from './publish-jobs.ts';
export { type DeadLetter, parkJob, publishDead, type RawMessage } from './publish-one.ts';
export { createPublisher, type Published, type Publisher, type PublisherParams } from './publisher.ts';
export type { PullStatus } from './pull-book.ts';
export type { PullRequest } from './puller.ts';
export { type Purged, purgePassed } from './purge-passed.ts';
export {
  parkedInQueue,
  type QueueMessage,
  type QueuePlace,
  queueMessages,
} from './queue-messages.ts';
export { queueMoves } from './queue-moves.ts';
export { mendQueueSettings, putQueueSettings, type QueueSettings } from './queue-settings.ts';
export { readEvents, type StoredEvents } from './read-events.ts';
export { HistoryBehindError, readToEnd } from './read-to-end.ts';
export {
  type KnownRate,
  keepRate,
  type ReleasedRated,
  type ReleaseRatedParams,
  releaseRated,
} from './release-rated.ts';
export { askResult, serveResults } from './results.ts';
export {
  type Changed,
  changeSemaphore,
  type Decided,
  keySlots,
  queueSlots,
  rateState,
  readSemaphore,
  type StoredSemaphore,
} from './semaphores.ts';
export type { Serving } from './serving.ts';
export { putSettings, type SettingsWatch, watchSettings } from './settings.ts';
export { loadSettled, lowerSettled, putSettled } from './settled-marks.ts';
export { type Gauged, gaugeStorage } from './storage-figures.ts';
export { storedAt } from './stored-at.ts';
export { type StoredBefore, storedBefore } from './stored-before.ts';
export {
  type ConsumerState,
  consumerState,
  type EventsState,
  eventsState,
  type JobsStreamState,
  jobsStreamState,
} from './stream-state.ts';
export { takeWaiting } from './take-waiting.ts';
export {
  mendTaskSettings,
  putTaskSettings,
  type TaskSettingsWatch,
  watchTaskSettings,
} from './task-settings.ts';
export { tellPublished } from './tell-published.ts';
export { type TellWithin, tellWithin } from './tell-within.ts';
export { ensureTopology, type TopologyParams } from './topology.ts';
export { trimEvents } from './trim-events.ts';
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
} from './unique-keys.ts';
export { applyReview, type ListedNote, listNotes, noteOf } from './unique-review.ts';
export { countWaiting, type JetStreamView, type LaneView, viewJetStream, type WaitingCount } from './view.ts';
export { type WaitingPage, type WaitingPlace, waitingJobs } from './waiting-jobs.ts';
export { openWantedEndings, type WantedEndings } from './wanted-endings.ts';
export { type QueueSettingsWatch, watchQueueSettings } from './watch-queue-settings.ts';
export {
  type HeardStorage,
  publishStorage,
  type StorageWatch,
  serveStorage,
  watchStorage,
} from './watch-storage.ts';
