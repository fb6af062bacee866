import type { DoubtAnswer, DoubtQuestion } from '@jetbeat/core';
import { askHeld, type Bus, type EventPublisher, readToEnd } from '@jetbeat/jetstream';
import { type Database, databaseTime, liveWorkers, withDoubts } from '@jetbeat/postgres';
import { tellCancelled } from '../cancels/tell-cancelled.ts';
import { answerDoubts } from './answer-doubts.ts';
import type { Hearing } from './hearing.ts';
import type { Silences } from './silences.ts';

/** What answering doubts needs. Times in milliseconds. */
export interface AnswerParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly hearing: Hearing;
  /** Whom not to wait for. */
  readonly silences: Silences;
  /** How long history may take to catch up. */
  readonly doubtWaitMs: number;
  /** How long the workers may take to say what they hold. */
  readonly heldWaitMs: number;
  readonly events: Pick<EventPublisher, 'publish'>;
  /** Makes up for what follows these jobs, which have succeeded, before their messages are acknowledged. */
  readonly succeeded: (ids: readonly string[]) => Promise<void>;
}

/** What is left of the wait at least. */
const MIN_WAIT_MS = 100;

/**
 * Answers doubts: has this job been settled, is it running, or neither? First history is brought up to the moment of the
 * question, then the live workers are asked what they hold, and then it is brought up once more: whoever holds a job no
 * more has stored its outcome before. Only then the rows are locked and judged. A `free` is in the row before anybody hears
 * of it, and so is the end of what somebody has cancelled and nobody runs.
 * @throws HistoryBehindError, or what PostgreSQL throws: then there is no answer, and the asker parks the job
 */
export async function answer(
  params: AnswerParams,
  questions: readonly DoubtQuestion[],
): Promise<DoubtAnswer[]> {
  const { db, bus, hearing, silences, doubtWaitMs, heldWaitMs } = params;
  const until = performance.now() + doubtWaitMs;
  await readToEnd({ bus, timeoutMs: doubtWaitMs });
  const ids = [...new Set(questions.map(({ job }) => job))];
  const within = hearing.within();
  const live = await liveWorkers(db, { now: await databaseTime(db), within });
  const expect = live.filter((worker) => !silences.lasts(worker)).map(({ id }) => id);
  const { held, answered } = await askHeld(bus, { ids, expect, timeoutMs: heldWaitMs });
  const silent = silences.note(live, answered);
  if (live.length > 0) await readToEnd({ bus, timeoutMs: Math.max(MIN_WAIT_MS, until - performance.now()) });
  const now = await databaseTime(db);
  const { answers, cancelled } = await withDoubts(db, {
    ids,
    now,
    within,
    decide: (rows, alive) => {
      const { answers, grants, cancelled } = answerDoubts(questions, {
        rows,
        alive,
        isHeld: (job) => held.has(job),
        silent,
      });
      return { grants, cancelled, value: { answers, cancelled } };
    },
  });
  // Whoever follows only one job looks into history too, so that this may fail.
  void tellCancelled({ db, events: params.events }, cancelled).catch(() => {});
  // Its worker may have died between the outcome and the callbacks. Other ends are looked after anyway.
  const done = answers.map((one) => one.answer === 'settled' && one.next?.state === 'succeeded');
  await params.succeeded([...new Set(questions.flatMap(({ job }, index) => (done[index] ? [job] : [])))]);
  return answers;
}
