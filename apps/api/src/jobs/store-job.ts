import { type AuditEntry, DatabaseUnavailableError, type NewJob } from '@jetbeat/postgres';
import { ApiError } from '../problems/problem.ts';
import type { InsertJob } from './inserter.ts';
import type { ExistingJob, UniquePorts } from './unique-ports.ts';

/** What became of a job: it is stored, or another one has its key. */
export type StoredJob =
  | {
      readonly existing: ExistingJob;
      /** It is that of this very request, which came before. */
      readonly own?: true;
    }
  | {
      readonly existing?: undefined;
      /** As it was stored. */
      readonly job: NewJob;
      readonly replaced?: string;
    };

/**
 * Stores a job. Where it has a key, that comes first: then whoever dies in between leaves a key that is freed, and never two
 * jobs.
 * @throws ApiError messaging_unavailable for a job with a key while NATS is away, database_unavailable
 */
export async function storeJob(
  { insertJob, unique }: { insertJob: InsertJob; unique: UniquePorts },
  asked: NewJob,
  audit?: AuditEntry,
): Promise<StoredJob> {
  const { envelope } = asked;
  const { id } = envelope;
  const held = asked.unique && (await unique.take(envelope, asked.unique));
  if (held?.existing) return held;
  const job =
    held && held.runAt !== envelope.runAt
      ? { ...asked, envelope: { ...envelope, runAt: held.runAt } }
      : asked;
  try {
    // It is published by whoever has stored it, else by the recorder.
    if (await insertJob(job, audit)) return { existing: { id, state: job.state }, own: true };
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) throw unknownWhether(id, error);
    await held?.giveUp();
    throw error;
  }
  await held?.stored();
  return held?.replaced === undefined ? { job } : { job, replaced: held.replaced };
}

/** PostgreSQL may commit what it did not answer any more. */
function unknownWhether(id: string, cause: unknown): ApiError {
  const message = `PostgreSQL did not answer; the job may have been stored all the same, as ${id}: look for it before you repeat`;
  return new ApiError('database_unavailable', message, { retryAfter: 2, cause });
}
