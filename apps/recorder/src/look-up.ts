import { concurrencyHash, type Findings, type PolicyOverrides } from '@jetbeat/core';
import { type Bus, findMessage, type ParkedWhat, parkedSubject, timerSubject } from '@jetbeat/jetstream';

/** The parts of a job that say where its message may be. */
export interface Whereabouts {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly seq?: number;
  readonly policy?: Pick<PolicyOverrides, 'concurrency'>;
}

const NOTHING: Findings = { message: false, timer: false, parked: false };

/**
 * Looks a job up in JOBS at the leader: at its sequence, among the timers, at its parking places. It ends with the first
 * that is found, and a message counts only when it carries the job's id.
 */
export async function lookUp(bus: Bus, job: Whereabouts): Promise<Findings> {
  const { id, queue, task, seq } = job;
  const holds = async (place: { seq: number } | { subject: string }) =>
    (await findMessage(bus, place))?.envelope?.id === id;
  if (seq !== undefined && (await holds({ seq }))) return { ...NOTHING, message: true };
  if (await holds({ subject: timerSubject(bus, id) })) return { ...NOTHING, timer: true };
  const key = job.policy?.concurrency?.key;
  const places: ParkedWhat[] = [{ what: 'doubt' }, { what: 'task', task }];
  if (key !== undefined) places.push({ what: 'key', hash: concurrencyHash(key) });
  for (const what of places) {
    if (await holds({ subject: parkedSubject(bus, { queue, what, id }) }))
      return { ...NOTHING, parked: true };
  }
  return NOTHING;
}

/** Calls `look` for every item, a few at a time; the answers are in the order of the items. */
export async function inGroups<Item, Answer>(
  items: readonly Item[],
  size: number,
  look: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < items.length; at += size)
    answers.push(...(await Promise.all(items.slice(at, at + size).map(look))));
  return answers;
}
