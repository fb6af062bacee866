import { type Bus, inside } from '../connection/bus.ts';
import { parseSubject } from '../streams/names.ts';
import { nextParked, type StoredJob } from './find-message.ts';
import { readParkedPage } from './parked-page.ts';

/** Up to where jobs were passed over that are parked for a key. */
export interface PassedOver {
  /** All that are parked before this sequence belong to one of `queues`. */
  readonly from: number;
  readonly queues: ReadonlySet<string>;
}

/** Why a job is not put back before others: its queue is paused, or hands out nothing just now. */
export type Standing = 'goes' | 'stands' | 'paused';

/** The job that is to be looked at. `last`: nobody else can begin. */
export interface Candidate {
  readonly job: StoredJob;
  readonly standing: Standing;
  readonly last: boolean;
}

/**
 * The jobs that are parked for a key, in the order in which they are to be looked at: the oldest first of those whose queue goes on, and when
 * there are none the oldest whose queue stands. Those of queues that are known to stand are looked up queue by queue, whatever their number.
 */
export interface ParkedWalk {
  /** The same one until something is said of it; a job that has left its place is followed by the next by itself. */
  next(): Promise<Candidate | undefined>;
  /** Its queue stands, or is paused: others go before it. */
  passOver(candidate: Candidate): void;
  /** It stays in its place, and is on its way. */
  skip(candidate: Candidate): void;
  /** Whether jobs were passed over, by this walk or before. */
  readonly passes: boolean;
  /** Nobody at all is parked for it, as far as has been seen. */
  readonly nobody: boolean;
  /** What was passed over, for the next walk; undefined for nothing. */
  readonly passed: PassedOver | undefined;
}

/** So many are passed over one after the other before whole pages are read. */
const FEW = 2;

/**
 * Begins one.
 * @param params.passed what the walk before has passed over
 * @param params.first the oldest of all, where that has just been looked up
 * @param params.standing of a queue; asked once of each
 */
export function createParkedWalk(params: {
  readonly bus: Bus;
  readonly hash: string;
  readonly passed: PassedOver | undefined;
  readonly first?: StoredJob | undefined;
  readonly standing: (queue: string) => Promise<Standing>;
}): ParkedWalk {
  const { bus, hash } = params;
  const over = new Set(params.passed?.queues);
  /** All before `from` were seen, all before `end` are of queues in `over`. */
  let from = params.passed?.from ?? 1;
  let end = from;
  let { first } = params;
  /** Where to look on in queues of which jobs before `from` are on their way. */
  const seen = new Map<string, number>();
  const standings = new Map<string, Promise<Standing>>();
  /** What was read ahead, and how many were passed over in a row. */
  let ahead: StoredJob[] = [];
  let inRow = 0;
  let nobody = false;

  const queueOf = ({ subject }: StoredJob): string => {
    const place = parseSubject(inside(bus), subject);
    return place?.kind === 'parked' ? place.queue : '';
  };
  const standingOf = (queue: string): Promise<Standing> => {
    const known = standings.get(queue) ?? params.standing(queue);
    standings.set(queue, known);
    return known;
  };
  /** The oldest of those that were passed over and are of queues that stand so. */
  const oldestOf = async (wanted: Standing): Promise<StoredJob | undefined> => {
    const found = await Promise.all(
      [...over].map(async (queue) => {
        if ((await standingOf(queue)) !== wanted) return undefined;
        const job = await nextParked(bus, { hash, queue, from: seen.get(queue) ?? 1 });
        if (job && job.seq < from) return job;
        // Its last one has gone, and what comes later is found behind.
        if (wanted === 'goes' && !seen.has(queue)) over.delete(queue);
        return undefined;
      }),
    );
    const jobs = found.filter((job) => job !== undefined);
    return jobs.sort((one, other) => one.seq - other.seq)[0];
  };
  const behind = async (): Promise<StoredJob | undefined> => {
    const known = first;
    first = undefined;
    if (known && from === 1) return known;
    ahead = ahead.filter(({ seq }) => seq >= from);
    if (ahead.length === 0 && inRow >= FEW) ahead = [...(await readParkedPage(bus, { hash, from }))];
    const [read] = ahead;
    // What is not passed over has to be there still.
    if (read && (await standingOf(queueOf(read))) !== 'goes') return read;
    return nextParked(bus, { hash, from });
  };
  /** What is parked where all should have been passed over: a stream that has lost its tail, or all, counts on from an earlier place. */
  const beginAnew = async (): Promise<boolean> => {
    if (from === 1 || from !== params.passed?.from) {
      nobody = from === 1;
      return false;
    }
    const job = await nextParked(bus, { hash });
    nobody = job === undefined;
    if (!job || over.has(queueOf(job))) return false;
    over.clear();
    from = 1;
    end = 1;
    return true;
  };

  const next = async (): Promise<Candidate | undefined> => {
    const back = await oldestOf('goes');
    if (back) return { job: back, standing: 'goes', last: false };
    const job = await behind();
    if (job) return { job, standing: await standingOf(queueOf(job)), last: false };
    if (await beginAnew()) return next();
    const stands = await oldestOf('stands');
    return stands && { job: stands, standing: 'stands', last: true };
  };
  return {
    next,
    passOver({ job }) {
      inRow++;
      over.add(queueOf(job));
      if (end === from) end = job.seq + 1;
      from = job.seq + 1;
    },
    skip({ job }) {
      inRow = 0;
      if (job.seq < from) seen.set(queueOf(job), job.seq + 1);
      else from = job.seq + 1;
    },
    get passes() {
      return over.size > 0;
    },
    get nobody() {
      return nobody;
    },
    get passed() {
      return end > 1 && over.size > 0 ? { from: end, queues: over } : undefined;
    },
  };
}
