import type { HeldJob } from '@jetbeat/jetstream';
import type { Held } from './held.ts';

/** The jobs that this worker holds, by id. */
export class HeldJobs {
  readonly #jobs = new Map<string, Held>();
  #running = 0;
  #settling = 0;
  #parking = 0;

  get size(): number {
    return this.#jobs.size;
  }

  /** How many handlers run. */
  get running(): number {
    return this.#running;
  }

  /** How many have run, and are not settled yet. */
  get settling(): number {
    return this.#settling;
  }

  /** How many are being parked. */
  get parking(): number {
    return this.#parking;
  }

  get(id: string): Held | undefined {
    return this.#jobs.get(id);
  }

  all(): IterableIterator<Held> {
    return this.#jobs.values();
  }

  add(held: Held): void {
    this.#jobs.set(held.job.id, held);
  }

  begin(held: Held): void {
    held.phase = 'running';
    this.#running++;
  }

  /** The handler has returned or was given up; its slot is free. */
  end(held: Held): void {
    if (held.phase !== 'running') return;
    held.phase = 'settling';
    this.#running--;
    this.#settling++;
  }

  /** It does not begin here: what it waits for is awaited elsewhere. */
  park(held: Held): void {
    if (held.parks || this.#jobs.get(held.job.id) !== held) return;
    held.parks = true;
    this.#parking++;
  }

  remove(held: Held): void {
    if (this.#jobs.get(held.job.id) !== held) return;
    this.#jobs.delete(held.job.id);
    if (held.parks) this.#parking--;
    // A handler that runs on after its job was given back has no slot to free any more.
    if (held.phase === 'running') this.#running--;
    else if (held.phase === 'settling') this.#settling--;
    held.phase = 'settling';
  }
}

/**
 * Says which of some jobs are held here.
 * @param params.drop gives up a job that waits, for good; false when it waits no more
 */
export function answerHeld(params: {
  jobs: HeldJobs;
  drop: (held: Held) => boolean;
}): (question: { ids: readonly string[]; cancel: boolean }) => HeldJob[] {
  const { jobs, drop } = params;
  return ({ ids, cancel }) =>
    ids.flatMap((id): HeldJob[] => {
      const held = jobs.get(id);
      // A message that is itself being asked about does not hold the job.
      if (!held || held.phase === 'asking') return [];
      const dropped = cancel && held.phase === 'waiting' && drop(held);
      const begun = !dropped && held.phase !== 'waiting' && held.phase !== 'claiming';
      if (!begun) return [{ id, begun }];
      const { attempt, run, parks } = held.job;
      return [{ id, begun, settling: held.phase === 'settling', position: { attempt, run, parks } }];
    });
}
