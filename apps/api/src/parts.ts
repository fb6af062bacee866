import type { Settings } from '@jetbeat/core';
import type { JobToPublish } from '@jetbeat/jetstream';
import type { ApiKeyRecord, Database, TaskLimitsRecord } from '@jetbeat/postgres';
import type { Checks, Log, Metrics, Tracing } from '@jetbeat/runtime';
import type { CancelPorts } from './cancel-job.ts';
import type { CheckInput } from './check-input.ts';
import type { DeadPorts } from './dead-ports.ts';
import type { Fleet } from './fleet.ts';
import type { InsertJob } from './inserter.ts';
import type { MovePorts } from './move-job.ts';
import type { QueuePorts } from './queue-ports.ts';
import type { TraceSends } from './trace-sends.ts';
import type { UniquePorts } from './unique-ports.ts';
import type { WaitingRequests } from './wait-for-end.ts';

/** What the routes work with. */
export interface Parts {
  readonly db: Database;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly clock: () => number;
  readonly findKey: (id: string) => Promise<ApiKeyRecord | undefined>;
  readonly insertJob: InsertJob;
  readonly unique: UniquePorts;
  /** Publishes a committed job, behind the answer. */
  readonly publish: (job: JobToPublish) => void;
  readonly fleet: () => Promise<Fleet>;
  readonly checkInput: CheckInput;
  /** What the configuration says of tasks. */
  readonly settings: Settings;
  readonly cancel: CancelPorts;
  readonly move: MovePorts;
  readonly waiting: WaitingRequests;
  readonly queues: QueuePorts;
  /** Tells every process what was said of a task. Throws ApiError `messaging_unavailable`: then the recorder will. */
  readonly tellTask: (limits: TaskLimitsRecord) => Promise<void>;
  readonly dead: DeadPorts;
  /** Carries out replays of many dead letters. */
  readonly replays: { poke(): void };
  /** The largest message that the NATS server takes, bytes. */
  readonly maxPayload: () => number;
  /** Why new jobs are refused now, if so. */
  readonly refusal: () => string | undefined;
  /** The same for jobs of one queue. */
  readonly queueRefusal: (queue: string) => string | undefined;
  readonly tracing?: Tracing | undefined;
  readonly sends?: TraceSends | undefined;
  readonly metrics: Pick<Metrics, 'observe' | 'page'>;
  readonly live: Checks;
  readonly ready: Checks;
}
