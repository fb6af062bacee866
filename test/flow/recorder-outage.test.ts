import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@jetbeat/infra/dev';
import { askDoubt, eventsState, findMessage, jobSubject, publishJobs } from '@jetbeat/jetstream';
import { getJob, insertJobs, notePublished } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { startOwnNats } from '../support/nats.ts';
import { ownPort } from '../support/ports.ts';
import {
  acceptedEvent,
  createRecorderBench,
  newJob,
  type RecorderBench,
  settledEvent,
  startedEvent,
  traceparent,
  workerEvent,
} from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

async function recordedAll({ bus }: RecorderBench): Promise<void> {
  await waitUntil('everything is recorded', async () => {
    const { lastSeq, recordedUpTo } = await eventsState(bus);
    return recordedUpTo >= lastSeq;
  });
}

test('PostgreSQL and then NATS are killed in the middle of events: nothing is lost, nothing doubled', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-postgres-'));
  const log = () => {};
  let postgres = await startPostgres({ dir, port: await ownPort(), log });
  const nats = await startOwnNats();
  const bench = await createRecorderBench({ nats: nats.url, database: postgres.url });
  try {
    const recorders = await Promise.all([bench.start(), bench.start()]);
    const jobs = Array.from({ length: 3_000 }, () => newJob());
    const publish = async (from: number, to: number) => {
      await Promise.all(
        jobs.slice(from, to).flatMap((job) => {
          const settled = settledEvent(job);
          return [startedEvent(job, { runId: settled.runId }), settled].map((event) =>
            bench.events.publish(event),
          );
        }),
      );
    };
    await publish(0, 500);
    const during = publish(500, 1_500);
    postgres.kill();
    await postgres.exited;
    await during;
    expect(await fetch(`${recorders[0].healthUrl}/readyz`)).toMatchObject({ status: 503 });
    postgres = await startPostgres({ dir, port: postgres.port, log });
    const meanwhile = publish(1_500, 3_000);
    await nats.kill();
    await nats.start();
    await meanwhile;
    await recordedAll(bench);

    const rows: Awaited<ReturnType<typeof getJob>>[] = [];
    // In groups: who waits for a free connection for longer than 5 s gets none.
    for (let from = 0; from < jobs.length; from += 100)
      rows.push(...(await Promise.all(jobs.slice(from, from + 100).map(({ id }) => getJob(bench.db, id)))));
    expect(rows.filter((row) => row?.state !== 'succeeded')).toEqual([]);
    expect(rows.filter((row) => row?.attempts.length !== 1)).toEqual([]);
    expect(recorders.map((recorder) => recorder.counts().skippedEvents)).toEqual([0, 0]);
    await waitUntil('it is ready again', async () => (await fetch(`${recorders[0].healthUrl}/readyz`)).ok);
  } finally {
    await bench.stop();
    await Promise.all([nats.stop(), postgres.stop()]);
    await rm(dir, { recursive: true, force: true });
  }
}, 120_000);

test('a lost JetStream store costs recorded jobs only time; nobody is taken for dead for the outage', async () => {
  const nats = await startOwnNats();
  const bench = await createRecorderBench({ nats: nats.url });
  try {
    const { bus, db } = bench;
    const quick = { unpublishedAfterMs: 200, reconcileEveryMs: 200, heldWaitMs: 100 };
    await bench.start({ ackWaitMs: 1_000, times: quick });
    const [waiting, running] = [newJob(), newJob({ priority: 'low' })];
    const row = { traceparent: traceparent(), totalLimitMs: 60_000, origin: 'api', state: 'queued' } as const;
    await insertJobs(db, [{ ...row, envelope: waiting }]);
    const [result] = await publishJobs(bus, [{ envelope: waiting, traceparent: traceparent() }]);
    await notePublished(db, [{ id: waiting.id, seq: result?.ok ? result.seq : -1 }]);
    await bench.events.publish(acceptedEvent(running, 2));
    await bench.events.publish(workerEvent('w1'));
    await bench.events.publish(startedEvent(running, { worker: 'w1' }));
    await recordedAll(bench);

    await nats.kill();
    const from = Date.now();
    await waitUntil('the outage is longer than ack_wait', () => Date.now() - from > 2_500);
    await nats.start({ wiped: true });
    const doubt = { job: running.id, worker: 'w2', attempt: 1, run: 1, parks: 0 };
    const answers = await waitUntil('there is an answer', () => askDoubt(bus, [doubt], 5_000));
    expect(answers).toEqual([{ answer: 'held' }]);

    const again = await waitUntil('it is published again', () =>
      findMessage(bus, { subject: jobSubject(bus, waiting) }),
    );
    expect(again.envelope).toEqual(waiting);
    await bench.events.publish(settledEvent(waiting, { seq: again.seq }));
    await recordedAll(bench);
    expect(await getJob(db, waiting.id)).toMatchObject({ state: 'succeeded' });
  } finally {
    await bench.stop();
    await nats.stop();
  }
}, 120_000);
