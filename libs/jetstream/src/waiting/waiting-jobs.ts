import { type Bus, inside } from '../connection/bus.ts';
import { JetStreamCallError } from '../connection/errors.ts';
import { inNamespace, parseSubject } from '../streams/names.ts';
import { readEntries } from './direct-entries.ts';

/** Where jobs wait in JOBS without a consumer. */
export type WaitingPlace = 'timers' | 'parked';

/** Some of the jobs that wait, in the order of their messages. */
export interface WaitingPage {
  readonly ids: readonly string[];
  /** Sequence at which to read on; absent at the end. */
  readonly next?: number;
}

const FILTERS: Readonly<Record<WaitingPlace, string>> = { timers: 'timers.*', parked: 'parked.>' };
/** Messages in one page. Their contents come with them, so their bytes are bounded too. */
const PAGE = { batch: 1_000, max_bytes: 4 * 1024 ** 2 };

/**
 * Reads which jobs wait in JOBS for their time, or are parked, from a sequence on and a page at a time: there may be
 * millions. The server can list their subjects too, but all at once, and by offsets that shift with each one that goes.
 * Any replica of the stream may answer (NATS ADR-31); whoever reads this must not take what is absent for gone.
 * @param params.upTo last sequence that is of interest
 * @throws JetStreamCallError when no whole page came in time
 */
export async function waitingJobs(
  bus: Bus,
  params: { readonly place: WaitingPlace; readonly from: number; readonly upTo: number },
): Promise<WaitingPage> {
  const inner = inside(bus);
  const { place, from, upTo } = params;
  if (from > upTo) return { ids: [] };
  const request = JSON.stringify({ seq: from, next_by_subj: inNamespace(inner, FILTERS[place]), ...PAGE });
  const ids: string[] = [];
  let last = 0;
  for await (const entry of readEntries(inner, request)) {
    if (entry.left !== undefined)
      return entry.left > 0 && last > 0 && last < upTo ? { ids, next: last + 1 } : { ids };
    last = entry.seq;
    const parsed = last > upTo ? undefined : parseSubject(inner, entry.subject);
    if (parsed?.kind === 'timer' || parsed?.kind === 'parked') ids.push(parsed.id);
  }
  throw new JetStreamCallError(`reading ${place} of JOBS: no answer in time`);
}
