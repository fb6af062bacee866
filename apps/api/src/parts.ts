import type { JobToPublish } from '@jetbeat/jetstream';
import type { ApiKeyRecord, Database } from '@jetbeat/postgres';
import type { Checks, Log } from '@jetbeat/runtime';
import type { CancelPorts } from './cancel-job.ts';
import type { CheckInput } from './check-input.ts';
import type { Fleet } from './fleet.ts';
import type { InsertJob } from './inserter.ts';

/** What the routes work with. */
export interface Parts {
  readonly db: Database;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly clock: () => number;
  readonly findKey: (id: string) => Promise<ApiKeyRecord | undefined>;
  readonly insertJob: InsertJob;
  /** Publishes a committed job, behind the answer. */
  readonly publish: (job: JobToPublish) => void;
  readonly fleet: () => Promise<Fleet>;
  readonly checkInput: CheckInput;
  readonly cancel: CancelPorts;
  /** The largest message that the NATS server takes, bytes. */
  readonly maxPayload: () => number;
  readonly live: Checks;
  readonly ready: Checks;
}
