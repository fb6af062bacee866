import { type DoubtAnswer, type DoubtQuestion, isUuid, MalformedMessageError } from '@jetbeat/core';
import { type Bus, type EventPublisher, type Log, serveDoubt } from '@jetbeat/jetstream';
import type { Database } from '@jetbeat/postgres';
import type { Tally } from '../counts.ts';
import type { Follow } from '../following/follow.ts';
import type { RecorderTimes } from '../times.ts';
import { answer } from './answer.ts';
import { createCoalescer } from './coalesce.ts';
import type { Hearing } from './hearing.ts';
import { createSilences } from './silences.ts';

/** Questions answered together, and questions that may wait; who finds no place asks again. */
const BOUNDS = { maxPasses: 2, maxPerPass: 1_000, maxWaiting: 20_000, maxWaitMs: 2_500 };

const MALFORMED = 'a doubt is {job, worker, attempt, run, parks}';
const MAX_COUNT = 2 ** 31 - 1;

/** Serves the workers' doubts, of all workers together in few passes. What cannot be answered stays without an answer. */
export function serve(params: {
  bus: Bus;
  db: Database;
  hearing: Hearing;
  events: EventPublisher;
  follow: Pick<Follow, 'succeeded'>;
  times: RecorderTimes;
  tally: Tally;
  log: Log;
}): { stop(): Promise<void> } {
  const { bus, db, events, hearing, follow, times, tally, log } = params;
  const { doubtWaitMs, heldWaitMs } = times;
  const known = { silences: createSilences(), succeeded: follow.succeeded };
  const doubts = createCoalescer<DoubtQuestion, DoubtAnswer>({
    ...BOUNDS,
    pass: (questions) => answer({ ...known, db, bus, events, hearing, doubtWaitMs, heldWaitMs }, questions),
  });
  const handle = async (questions: DoubtQuestion[]) => {
    try {
      // One stranger's question must not cost the others of the same pass their answers.
      if (!Array.isArray(questions) || !questions.every(isQuestion))
        throw new MalformedMessageError(MALFORMED);
      const answers = await doubts.ask(questions);
      tally.counts.answered += questions.length;
      return answers;
    } catch (error) {
      tally.counts.unanswered += 1;
      throw error;
    }
  };
  const serving = serveDoubt(bus, handle, { log });
  return { stop: () => serving.close() };
}

function isQuestion(question: DoubtQuestion): boolean {
  const { job, worker, attempt, run, parks } = question ?? {};
  const counts = [attempt, run, parks];
  return (
    isUuid(job) &&
    typeof worker === 'string' &&
    counts.every((count) => Number.isInteger(count) && count >= 0 && count <= MAX_COUNT)
  );
}
