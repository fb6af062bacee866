import type { Findings } from '@jetbeat/core';
import { type Bus, findMessage, findParked, timerSubject } from '@jetbeat/jetstream';
import { standsFor } from './void-messages.ts';

/** The parts of a job that say where its message may be. */
export interface Whereabouts {
  readonly id: string;
  readonly queue: string;
  readonly seq?: number;
  /** Messages before this place are void, and count as not there. */
  readonly movedBelow?: number;
}

const NOTHING: Findings = { message: false, timer: false, parked: false };

/**
 * Looks a job up in JOBS at the leader: at its sequence, among the timers, at its parking places. It ends with the first
 * that is found, and a message counts only when it carries the job's id.
 */
export async function lookUp(bus: Bus, job: Whereabouts): Promise<Findings> {
  const { id, queue, seq } = job;
  const holds = async (place: { seq: number } | { subject: string }) =>
    standsFor(await findMessage(bus, place), job);
  if (seq !== undefined && (await holds({ seq }))) return { ...NOTHING, message: true };
  if (await holds({ subject: timerSubject(bus, id) })) return { ...NOTHING, timer: true };
  // What it waits for is said by its task too, which nobody knows here.
  const parked = await findParked(bus, { queue, id });
  return standsFor(parked, job) ? { ...NOTHING, parked: true } : NOTHING;
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
