import type { JobWithAttempts } from '@jetbeat/postgres';
import type { Parts } from '../parts.ts';

/** A dead job with its input: where history was never told it, from its dead letter, as far as that is there and whole. */
export async function withInput(
  { dead }: Pick<Parts, 'dead'>,
  job: JobWithAttempts,
): Promise<JobWithAttempts> {
  if (job.inputKnown) return job;
  const { envelope, truncated } = (await dead.ofJob(job)) ?? {};
  if (!envelope || truncated || envelope.id !== job.id) return job;
  const { input, meta, policy, schedule, parent, expiresAt } = envelope;
  return {
    ...job,
    inputKnown: true,
    input,
    ...(meta === undefined ? {} : { meta }),
    ...(policy === undefined ? {} : { policy }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(parent === undefined ? {} : { parent }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}
