import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import { leaseTtlMs } from '../waiting/leases.ts';
import {
  type Bucket,
  bucketName,
  durableName,
  inNamespace,
  LANES,
  type Lane,
  laneSubjects,
  type Named,
  RECORDER_DURABLE,
  streamName,
} from './names.ts';

/** What differs between installations. Times in milliseconds. */
export interface TopologySettings {
  readonly ackWaitMs: number;
  readonly replicas: number;
  readonly eventsMaxBytes: number;
  readonly duplicateWindowMs: number;
}

/** A stream as it should be: what is not said is the server's default and left alone. */
export type StreamWanted = Partial<StreamConfig> & { readonly name: string };
/** A consumer as it should be. */
export type ConsumerWanted = Partial<ConsumerConfig> & { readonly durable_name: string };

const DAY_MS = 86_400_000;
/**
 * Of JOBS, whose queues have six each. The server's own default has been 1,000 since 2.15, which is 166 queues for ever; this one is beyond what
 * the API makes, and keeps the server from being filled (some 60 KB of memory each).
 */
const MAX_CONSUMERS = 10_000;

/** The streams and buckets of an installation (design: JetStream topology). */
export function wantedStreams(at: Named, settings: TopologySettings): StreamWanted[] {
  const common = {
    storage: StorageType.File,
    num_replicas: settings.replicas,
    duplicate_window: nanos(settings.duplicateWindowMs),
    allow_direct: true,
  };
  const jobs: StreamWanted = {
    ...common,
    name: streamName(at, 'JOBS'),
    description:
      'Jetbeat: jobs to be done, timers that wait for their time, parked jobs. What is in here is not done yet.',
    // The lanes one by one: a message that no consumer could ever take is refused instead of kept for ever.
    subjects: [
      ...LANES.map((lane) => laneSubjects(at, lane)),
      inNamespace(at, 'timers.*'),
      inNamespace(at, 'parked.*.*.*'),
    ],
    retention: RetentionPolicy.Workqueue,
    max_consumers: MAX_CONSUMERS,
    allow_msg_schedules: true,
    allow_atomic: true,
    // Both come with schedules anyway; parking replaces by rollup.
    allow_rollup_hdrs: true,
    deny_purge: false,
  };
  const events: StreamWanted = {
    ...common,
    name: streamName(at, 'EVENTS'),
    description:
      'Jetbeat: what happened to jobs and workers, in batches; the only source of history. Trimmed once recorded.',
    subjects: [inNamespace(at, 'events.batch')],
    retention: RetentionPolicy.Limits,
    max_bytes: settings.eventsMaxBytes,
    discard: DiscardPolicy.New,
  };
  const dead: StreamWanted = {
    ...common,
    name: streamName(at, 'DEAD'),
    description: 'Jetbeat: dead letters of the last 30 days, whole, with their reasons.',
    subjects: [inNamespace(at, 'dead.>')],
    retention: RetentionPolicy.Limits,
    max_age: nanos(30 * DAY_MS),
  };
  return [
    jobs,
    events,
    dead,
    bucket(
      at,
      'cancelled',
      'Jetbeat: ids of jobs that were cancelled and whose message may still be on its way.',
      settings,
    ),
    bucket(at, 'settled', 'Jetbeat: per queue the highest sequence in JOBS that was settled.', settings),
    bucket(at, 'limits', 'Jetbeat: what programs have to know of the configuration.', settings),
    // A key that is free leaves nothing behind, and it is this revision that is freed: deletion by sequence does both.
    { ...bucket(at, 'unique', 'Jetbeat: which job has which unique key.', settings), deny_delete: false },
    {
      ...bucket(
        at,
        'leases',
        'Jetbeat: workers that hold slots; a lease that is not renewed goes.',
        settings,
      ),
      max_age: nanos(leaseTtlMs(settings.ackWaitMs)),
      // The server takes none that is longer than the age, whatever that is changed to.
      duplicate_window: nanos(leaseTtlMs(0)),
    },
    {
      ...bucket(at, 'slots', 'Jetbeat: which jobs hold the slots of concurrency keys and queues.', settings),
      // A rate that nobody has used for its period is as good as none.
      allow_msg_ttl: true,
    },
  ];
}

/** A KV bucket is a stream of this shape (NATS ADR-8). */
function bucket(at: Named, name: Bucket, description: string, settings: TopologySettings): StreamWanted {
  return {
    name: `KV_${bucketName(at, name)}`,
    description,
    subjects: [`$KV.${bucketName(at, name)}.>`],
    storage: StorageType.File,
    num_replicas: settings.replicas,
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    allow_rollup_hdrs: true,
    deny_delete: true,
    allow_direct: true,
  };
}

const CONSUMER = {
  ack_policy: AckPolicy.Explicit,
  deliver_policy: DeliverPolicy.All,
  replay_policy: ReplayPolicy.Instant,
  max_deliver: -1,
} as const;

/** The durable of one lane of a queue. */
export function laneConsumer(
  at: Named,
  { queue, lane, ackWaitMs }: { queue: string; lane: Lane; ackWaitMs: number },
): ConsumerWanted {
  return {
    ...CONSUMER,
    durable_name: durableName(queue, lane),
    description: `Jetbeat: jobs of queue ${queue}, lane ${lane}, for its workers.`,
    filter_subject: inNamespace(at, `jobs.${queue}.${lane}.>`),
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: 20_000,
    // Cannot be changed later, and a pull beyond it may be dropped in silence.
    max_waiting: 10_000,
  };
}

/**
 * While a batch is in the hands of a recorder that died, or its acknowledgement was forgotten by a killed server, no doubt
 * can be answered; so this is shorter than the wait for an answer. Living recorders extend what they hold.
 */
export const RECORDER_ACK_WAIT_MS = 2_000;

/** The durable by which all recorders together read EVENTS. */
export function recorderConsumer(): ConsumerWanted {
  return {
    ...CONSUMER,
    durable_name: RECORDER_DURABLE,
    description: 'Jetbeat: event batches for the recorders.',
    ack_wait: nanos(RECORDER_ACK_WAIT_MS),
    max_ack_pending: 1_000,
    max_waiting: 512,
  };
}
