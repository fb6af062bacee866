import type { DoubtQuestion, JobEnvelope, JobState } from '@jetbeat/core';
import { askDoubt, findMessage, parkedSubject, parkJob, serveHeld } from '@jetbeat/jetstream';
import { getJob, type recordChanges } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import {
  acceptedEvent,
  createRecorderBench,
  newId,
  newJob,
  parkedEvent,
  type RecorderBench,
  returnedEvent,
  settledEvent,
  startedEvent,
  workerEvent,
} from '../support/recorder.ts';

function doubtOf({ id, attempt, run, parks }: JobEnvelope, worker = 'asker'): DoubtQuestion {
  return { job: id, worker, attempt, run, parks };
}
/** The row once history has heard of this. */
async function until({ db }: RecorderBench, id: string, state: JobState) {
  await expect.poll(async () => (await getJob(db, id))?.state, { timeout: 10_000 }).toBe(state);
  return getJob(db, id);
}
async function ask({ bus }: RecorderBench, ...questions: DoubtQuestion[]) {
  return askDoubt(bus, questions, 5_000);
}

test('what was settled is answered so with what follows, at once after the event was stored', async () => {
  const bench = await createRecorderBench();
  await bench.start();
  const [done, retried, parked, fresh] = [newJob(), newJob(), newJob({ parks: 1 }), newJob()];
  const next = { state: 'retrying', attempt: 2, runAt: Date.now() + 60_000 } as const;
  await bench.events.publish(settledEvent(done));
  await bench.events.publish(settledEvent(retried, { outcome: 'failed', next }));
  await bench.events.publish(parkedEvent(parked, 'task'));
  await bench.events.publish(acceptedEvent(fresh, 1));
  const questions = [done, retried, { ...parked, parks: 0 }, fresh].map((job) => doubtOf(job));
  expect(await ask(bench, ...questions)).toEqual([
    { answer: 'settled', next: { state: 'succeeded' }, run: 1 },
    { answer: 'settled', next, run: 1 },
    { answer: 'settled' },
    { answer: 'free', run: 1, losses: 0 },
  ]);
  expect(await getJob(bench.db, fresh.id)).toMatchObject({ state: 'running', worker: 'asker', run: 1 });
});

test('a job at a vanished worker is free as a new run, its attempt lost, until it has taken too many down', async () => {
  const bench = await createRecorderBench();
  await bench.start();
  const job = newJob();
  await bench.events.publish(acceptedEvent(job, 1));
  await bench.events.publish(startedEvent(job, { worker: 'gone' }));
  for (let loss = 1; loss <= 5; loss++) {
    expect(await ask(bench, doubtOf(job, `asker-${loss}`))).toEqual([
      { answer: 'free', run: loss + 1, losses: loss },
    ]);
  }
  expect(await ask(bench, doubtOf(job, 'last'))).toEqual([{ answer: 'exhausted', losses: 6 }]);
  const row = await getJob(bench.db, job.id);
  expect(row).toMatchObject({ state: 'running', losses: 5, run: 6 });
  expect(row?.attempts).toMatchObject([{ worker: 'gone', outcome: 'lost', run: 1 }]);
});

test('a job that was parked since nobody answered is held while its worker lives, and lost once with it', async () => {
  const bench = await createRecorderBench();
  const job = newJob();
  const again = { ...job, parks: 1 };
  // No recorder is there while all this happens.
  await bench.events.publish(workerEvent('silent'));
  await bench.events.publish(acceptedEvent(job, 1));
  await bench.events.publish(startedEvent(job, { worker: 'silent' }));
  await bench.events.publish(parkedEvent(again, 'doubt'));
  await bench.start({ ackWaitMs: 30_000, times: { heldWaitMs: 100 } });
  expect(await ask(bench, doubtOf(again))).toEqual([{ answer: 'held' }]);
  const answering = serveHeld(bench.bus, 'silent', () => []);
  await bench.bus.flush();
  // What it says lies before its start, for all that anybody knows.
  expect(await ask(bench, doubtOf(again))).toEqual([{ answer: 'held' }]);
  await answering.close();
  await bench.events.publish(workerEvent('silent', { state: 'stopped' }));
  expect(await ask(bench, doubtOf(again))).toEqual([{ answer: 'free', run: 2, losses: 1 }]);
  await bench.events.publish(settledEvent({ ...again, run: 2 }));
  const row = await until(bench, job.id, 'succeeded');
  expect(row).toMatchObject({ losses: 1, run: 2 });
  expect(row?.attempts.map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded']);
});

test('what a live worker holds, or may hold because it does not answer, is held', async () => {
  const bench = await createRecorderBench();
  await bench.start({ ackWaitMs: 30_000, times: { heldWaitMs: 1_000 } });
  const [held, other] = [newJob(), newJob()];
  await bench.events.publish(acceptedEvent(held, 1));
  await bench.events.publish(acceptedEvent(other, 2));
  await bench.events.publish(workerEvent('holder'));
  const holder = serveHeld(bench.bus, 'holder', ({ ids }) =>
    ids.filter((id) => id === held.id).map((id) => ({ id, begun: false })),
  );
  await bench.bus.flush();
  expect(await ask(bench, doubtOf(held), doubtOf(other))).toEqual([
    { answer: 'held' },
    { answer: 'free', run: 1, losses: 0 },
  ]);
  await holder.close();
  const late = newJob();
  expect(await ask(bench, doubtOf(late))).toEqual([{ answer: 'held' }]);
  await bench.events.publish(workerEvent('holder', { state: 'stopped' }));
  expect(await ask(bench, doubtOf(late))).toEqual([{ answer: 'free', run: 1, losses: 0 }]);
});

test('who does not answer delays nothing that another worker gave back or has to try again, and no step that is fresh', async () => {
  const bench = await createRecorderBench();
  await bench.start({ ackWaitMs: 60_000 });
  const [first, returned, refused, retried, own, fresh] = [1, 2, 3, 4, 5, 6].map(() => newJob());
  if (!first || !returned || !refused || !retried || !own || !fresh) throw new Error('six were made');
  for (const [at, job] of [first, returned, refused, retried, own, fresh].entries())
    await bench.events.publish(acceptedEvent(job, at + 1));
  await bench.events.publish(workerEvent('silent'));
  await bench.events.publish(returnedEvent(returned));
  await bench.events.publish({ ...returnedEvent(refused), runId: undefined, startedAt: undefined });
  const next = { state: 'retrying', attempt: 2, runAt: Date.now() } as const;
  const failed = { outcome: 'failed', next } as const;
  await bench.events.publish(settledEvent(retried, { ...failed, worker: 'w1' }));
  await bench.events.publish(settledEvent(own, { ...failed, worker: 'silent' }));
  const step = { attempt: 2, run: 2 };
  const questions = [
    doubtOf(first),
    doubtOf({ ...returned, run: 2 }),
    doubtOf(refused),
    doubtOf({ ...retried, ...step }),
    doubtOf({ ...own, ...step }),
    { ...doubtOf({ ...fresh, run: 2 }), isFresh: true },
  ];
  const answers = await ask(bench, ...questions);
  expect(answers?.map(({ answer }) => answer)).toEqual(['held', 'free', 'free', 'free', 'held', 'free']);
  expect(answers?.slice(1, 3)).toMatchObject([{ run: 2 }, { run: 2 }]);
});

test('of two askers at two recorders one gets the job, also when history does not know it', async () => {
  const bench = await createRecorderBench();
  await Promise.all([bench.start({ ackWaitMs: 30_000 }), bench.start({ ackWaitMs: 30_000 })]);
  for (const worker of ['a', 'b']) {
    await bench.events.publish(workerEvent(worker));
    serveHeld(bench.bus, worker, () => []);
  }
  await bench.bus.flush();
  const known = newJob();
  await bench.events.publish(acceptedEvent(known, 1));
  for (const job of [known, newJob()]) {
    const answers = await Promise.all(
      ['a', 'b', 'a', 'b', 'a', 'b'].map(async (worker) => ({
        worker,
        answers: await ask(bench, doubtOf(job, worker)),
      })),
    );
    const free = answers.filter(({ answers: [answer] = [] }) => answer?.answer === 'free');
    expect(new Set(free.map(({ worker }) => worker)).size).toBe(1);
    // Its own question asked again gets the same run.
    expect(free).toHaveLength(3);
    const rest = answers
      .filter((one) => !free.includes(one))
      .map(({ answers: [answer] = [] }) => answer?.answer);
    expect(rest).toEqual(['held', 'held', 'held']);
  }
});

test('while history cannot be written there is no answer; a stranger with nonsense costs nobody else theirs', async () => {
  const bench = await createRecorderBench();
  const gate = Promise.withResolvers<void>();
  const waiting: typeof recordChanges = async () => {
    await gate.promise;
    throw new Error('not now');
  };
  const recorder = await bench.start({
    ports: { recordChanges: waiting },
    times: { doubtWaitMs: 300, holdMs: 50 },
  });
  await bench.events.publish(settledEvent(newJob()));
  expect(await askDoubt(bench.bus, [doubtOf(newJob())], 1_000)).toBeUndefined();
  gate.resolve();
  await recorder.stop();

  await bench.start();
  const nonsense = [{ job: 'x' } as DoubtQuestion, null as unknown as DoubtQuestion];
  const [bad, good] = await Promise.all([
    askDoubt(bench.bus, nonsense, 1_000),
    askDoubt(bench.bus, [{ ...doubtOf(newJob()), job: newId() }], 5_000),
  ]);
  expect(bad).toBeUndefined();
  expect(good).toEqual([{ answer: 'free', run: 1, losses: 0 }]);
});

test('a job that was over when it was parked in doubt leaves nothing waiting, also if no recorder was there', async () => {
  const bench = await createRecorderBench();
  const parkInDoubt = async () => {
    const job = newJob();
    await bench.events.publish(settledEvent(job));
    const envelope = { ...job, parks: 1 };
    await parkJob(bench.bus, { envelope, what: { what: 'doubt' }, traceparent: undefined });
    await bench.events.publish(parkedEvent(envelope, 'doubt'));
    const subject = parkedSubject(bench.bus, { queue: job.queue, what: { what: 'doubt' }, id: job.id });
    return () => findMessage(bench.bus, { subject });
  };
  const before = await parkInDoubt();
  expect(await before()).toBeDefined();
  await bench.start({ times: { sweepEveryMs: 50 } });
  await expect.poll(before, { timeout: 10_000 }).toBeUndefined();
  const meanwhile = await parkInDoubt();
  await expect.poll(meanwhile, { timeout: 10_000 }).toBeUndefined();
});
