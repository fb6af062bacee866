import type { DoubtQuestion, KnownJob } from './judge.ts';

/**
 * Whether one of the workers that count as alive and have not answered may hold the job in question. What was in doubt runs only once
 * that is in history, so such a worker can hold, unknown to history, only what was in no doubt for it: the first message of the job
 * when that was handed out for the first time, or a retry that it had published itself (docs/decisions/doubt.md, "Who does not answer").
 * @param silent their ids; of what history knows to run at one of them `judge` says so
 */
export function mayHold(
  question: Pick<DoubtQuestion, 'isFresh'>,
  known: KnownJob | undefined,
  silent: ReadonlySet<string>,
): boolean {
  if (silent.size === 0) return false;
  // Whoever moves a job goes on although nobody has said that the old message is in no hands.
  if (!known || known.movedBelow !== undefined) return true;
  if (question.isFresh === true || known.isGivenBack === true) return false;
  return known.state !== 'retrying' || known.worker === undefined || silent.has(known.worker);
}
