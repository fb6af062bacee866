import type { Settings } from '@jetbeat/core';
import type { JobToPublish } from '@jetbeat/jetstream';
import type { Database, TaskLimitsRecord } from '@jetbeat/postgres';
import type { Checks, Log, Metrics, Tracing } from '@jetbeat/runtime';
import type { Callers } from './access/callers.ts';
import type { Door } from './access/door.ts';
import type { CallerUses } from './access/note-key-use.ts';
import type { KeptAnswers } from './answers/kept-answers.ts';
import type { DeadPorts } from './dead-letters/dead-ports.ts';
import type { Queueing } from './edges/back-pressure.ts';
import type { RateLimits } from './edges/rate-limits.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { WorkerPorts } from './fleet/worker-ports.ts';
import type { CancelPorts } from './jobs/cancel-job.ts';
import type { CheckInput } from './jobs/check-input.ts';
import type { InsertJob } from './jobs/inserter.ts';
import type { MovePorts } from './jobs/move-job.ts';
import type { UniquePorts } from './jobs/unique-ports.ts';
import type { WaitingRequests } from './jobs/wait-for-end.ts';
import type { LiveEvents } from './live/live-events.ts';
import type { QueuePorts } from './queues/queue-ports.ts';
import type { Counting } from './requests/counting.ts';
import type { Cursors } from './requests/cursor.ts';
import type { Oidc } from './sign-in/oidc.ts';
import type { Sessions } from './sign-in/sessions.ts';
import type { TraceSends } from './watching/trace-sends.ts';

/** What the routes work with. */
export interface Parts {
  readonly db: Database;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly clock: () => number;
  /** Milliseconds that are never set back; by default the process's own. */
  readonly monotonic?: (() => number) | undefined;
  readonly callers: Callers;
  /** Notes when keys and sessions are used. */
  readonly uses: CallerUses;
  /** Who is signed in with a browser. */
  readonly sessions: Sessions;
  /** With whom people sign in beside keys; absent: nobody. */
  readonly oidc?: Oidc | undefined;
  /** Of lists, signed. */
  readonly cursors: Cursors;
  readonly counting: Counting;
  readonly insertJob: InsertJob;
  /** Of requests with an `Idempotency-Key`. */
  readonly answers: KeptAnswers;
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
  /** Streams of what happens. */
  readonly events: LiveEvents;
  readonly queues: QueuePorts;
  /** Tells every process what was said of a task. Throws ApiError `messaging_unavailable`: then the recorder will. */
  readonly tellTask: (limits: TaskLimitsRecord) => Promise<void>;
  readonly dead: DeadPorts;
  /** Carries out what is to be done with many jobs. */
  readonly batches: {
    poke(): void;
    /** Why history may not have heard of all jobs yet; undefined: it has. */
    behind(): Promise<string | undefined>;
  };
  readonly workers: WorkerPorts;
  /** The largest message that the NATS server takes, bytes. */
  readonly maxPayload: () => number;
  /** Why new jobs are refused now, if so. */
  readonly refusal: () => string | undefined;
  /** The same for jobs of one queue. */
  readonly queueRefusal: (queue: string) => string | undefined;
  readonly tracing?: Tracing | undefined;
  readonly sends?: TraceSends | undefined;
  /** Connections that may be open at once. */
  readonly connections: number;
  /** How often one may ask. */
  readonly limits: RateLimits;
  /** What waits for a connection to PostgreSQL. */
  readonly queueing: () => Queueing;
  /** How the API is reached. */
  readonly door: Door;
  readonly metrics: Pick<Metrics, 'observe' | 'page'>;
  readonly live: Checks;
  readonly ready: Checks;
}
