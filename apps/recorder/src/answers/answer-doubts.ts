import { type DoubtAnswer, type DoubtQuestion, judge, type KnownJob, mayHold } from '@jetbeat/core';
import type { DoubtGrant } from '@jetbeat/postgres';

/** What was found out before doubts are judged. */
export interface KnownOfDoubts {
  /** History, its rows locked. */
  readonly rows: ReadonlyMap<string, KnownJob>;
  readonly alive: ReadonlySet<string>;
  /** Whether a live worker says that it holds the job. */
  readonly isHeld: (job: string) => boolean;
  /** Workers that count as alive and have not answered. */
  readonly silent: ReadonlySet<string>;
}

/**
 * Judges doubts one after the other, each knowing what those before it were granted, so that of two askers in one batch
 * one gets the job. What somebody has cancelled nobody gets, whether or not the workers were told of it: it has ended.
 */
export function answerDoubts(
  questions: readonly DoubtQuestion[],
  known: KnownOfDoubts,
): { answers: DoubtAnswer[]; grants: DoubtGrant[]; cancelled: string[] } {
  const { alive, isHeld, silent } = known;
  const rows = new Map(known.rows);
  const grants = new Map<string, DoubtGrant>();
  const cancelled: string[] = [];
  const answers = questions.map((question): DoubtAnswer => {
    const { job, worker, attempt, parks } = question;
    const row = rows.get(job);
    const held = isHeld(job) || mayHold(question, row, silent);
    const answer = judge(question, row, { alive: (id) => alive.has(id), held });
    if (answer.answer !== 'free' && answer.answer !== 'exhausted') return answer;
    // Also where its workers were lost too often: a dead letter of it would be followed by a callback, or replayed.
    if (row?.isCancelled) {
      cancelled.push(job);
      rows.set(job, { ...row, state: 'cancelled' });
      return { answer: 'settled' };
    }
    if (answer.answer === 'exhausted') return answer;
    const { run, losses } = answer;
    grants.set(job, { job, worker, attempt, run, parks, losses });
    rows.set(job, { state: 'running', attempt, run, parks, losses, worker });
    return answer;
  });
  return { answers, grants: [...grants.values()], cancelled };
}
