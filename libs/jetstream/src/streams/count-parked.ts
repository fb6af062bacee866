import { type Bus, inside } from '../connection/bus.ts';
import { JetStreamCallError } from '../connection/errors.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { inNamespace, streamName } from './names.ts';

/** More parked jobs than this are not counted: 100,000 cost the server 170 ms (nats-server 2.15). */
const MAX_PARKED = 100_000;
/** So long a break between two counts, in milliseconds per parked job, keeps them under 2 % of one core. */
const BREAK_PER_PARKED = 0.1;
/** Looks for what was parked lately, where there may be too many to count: each 1 to 6 ms among 150,000 timers. */
const LOOKS = 8;
/** Beyond every subject: the server then tells how many there are, and lists none. */
const NO_LIST = 2 ** 31 - 1;
const COUNT_MS = 2_000;

/** JOBS as a look has found it. `rest`: messages that are parked or timers, about; `lastSeq`: its last sequence. */
export interface JobsSeen {
  readonly rest: number;
  readonly lastSeq: number;
}

/**
 * Makes counts of the parked jobs, the seldomer the more there are; `undefined` while there may be more than `most`. What bounds
 * their number is only there to spare the server: what is answered was counted. No message but a new one can be parked, so
 * there are no more than at the last count and what was stored since.
 */
export function countParked(
  bus: Bus,
  { most = MAX_PARKED }: { readonly most?: number } = {},
): (jobs: JobsSeen) => Promise<number | undefined> {
  let last: { readonly at: number; readonly seq: number; readonly parked: number } | undefined;
  return async ({ rest, lastSeq }) => {
    // A stream that was lost and made anew begins at 1 again.
    const known = last && last.seq <= lastSeq ? last : { at: Number.NEGATIVE_INFINITY, seq: 0, parked: 0 };
    const now = performance.now();
    if (now - known.at < known.parked * BREAK_PER_PARKED) return known.parked;
    const mayBe = known.parked + (lastSeq - known.seq);
    if (Math.min(rest, mayBe) > most && (await boundOf(bus, known, lastSeq)) > most) return undefined;
    const parked = await count(bus);
    last = { at: now, seq: lastSeq, parked };
    return parked;
  };
}

/** A closer bound, for among many timers few jobs are parked: looks for the first ones that were parked after `known`. */
async function boundOf(
  bus: Bus,
  known: { readonly seq: number; readonly parked: number },
  lastSeq: number,
): Promise<number> {
  let { seq, parked } = known;
  for (let look = 0; look < LOOKS; look++) {
    const next = await nextParked(bus, seq + 1);
    if (next === undefined) return parked;
    seq = next;
    parked += 1;
  }
  return parked + Math.max(0, lastSeq - seq);
}

/** The sequence of the first parked job at or after `seq`. */
async function nextParked(bus: Bus, seq: number): Promise<number | undefined> {
  const inner = inside(bus);
  const query = { seq, next_by_subj: inNamespace(inner, 'parked.>') };
  return manage(inner, 'the next parked job', async (jsm) => {
    try {
      return (await jsm.streams.getMessage(streamName(inner, 'JOBS'), query))?.seq;
    } catch (error) {
      if (isApiError(error, API.noMessage)) return undefined;
      throw error;
    }
  });
}

async function count(bus: Bus): Promise<number> {
  const inner = inside(bus);
  const body = { subjects_filter: inNamespace(inner, 'parked.>'), offset: NO_LIST };
  const reply = await inner.replies.send({
    subject: `$JS.API.STREAM.INFO.${streamName(inner, 'JOBS')}`,
    data: new TextEncoder().encode(JSON.stringify(body)),
    timeoutMs: COUNT_MS,
  });
  if (reply.kind !== 'message') throw new JetStreamCallError(`counting parked jobs: ${reply.kind}`);
  const { total } = JSON.parse(new TextDecoder().decode(reply.data)) as { total?: number };
  return total ?? 0;
}
