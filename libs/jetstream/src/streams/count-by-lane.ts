import { checkName } from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { JetStreamCallError } from '../connection/errors.ts';
import { inNamespace, LANES, type Lane, laneOf, parseSubject, streamName } from './names.ts';

/** Jobs of one lane of a queue, by the subjects of JOBS. */
export interface LaneCount {
  readonly queue: string;
  readonly lane: Lane;
  readonly messages: number;
}

/** More different subjects than these (queue, lane and task make one) are not listed: callers choose the names. */
const MAX_SUBJECTS = 5_000;
/** Beyond every subject: the server then tells how many there are, and lists none. */
const NO_LIST = 2 ** 31 - 1;
const CALL_MS = 2_000;

/**
 * Counts the jobs of each queue and lane, the fullest first, whether anybody serves them or not; what workers hold is among
 * them.
 * @param params.queue only those of one queue
 * @param params.most so many subjects are listed
 * @returns undefined while there are more subjects than that: nobody has counted then
 * @throws JetStreamCallError when the server does not answer in time
 */
export async function countByLane(
  bus: Bus,
  { queue, most = MAX_SUBJECTS }: { readonly queue?: string; readonly most?: number | undefined } = {},
): Promise<LaneCount[] | undefined> {
  const inner = inside(bus);
  const filter = inNamespace(inner, queue === undefined ? 'jobs.>' : `jobs.${checkName('queue', queue)}.>`);
  const { total } = await subjectsOf(inner, filter, NO_LIST);
  if (total === 0) return [];
  if (total > most) return undefined;
  const { subjects } = await subjectsOf(inner, filter, 0);
  const counts = new Map<string, LaneCount>();
  for (const [subject, messages] of Object.entries(subjects)) {
    const parsed = parseSubject(inner, subject);
    if (parsed?.kind !== 'job') continue;
    const { priority, front } = parsed;
    const lane = laneOf(priority, front);
    const key = `${parsed.queue}.${lane}`;
    counts.set(key, { queue: parsed.queue, lane, messages: messages + (counts.get(key)?.messages ?? 0) });
  }
  return [...counts.values()].sort(
    (a, b) => b.messages - a.messages || LANES.indexOf(a.lane) - LANES.indexOf(b.lane),
  );
}

async function subjectsOf(
  bus: BusConnection,
  filter: string,
  offset: number,
): Promise<{ total: number; subjects: Readonly<Record<string, number>> }> {
  const reply = await bus.replies.send({
    subject: `$JS.API.STREAM.INFO.${streamName(bus, 'JOBS')}`,
    data: new TextEncoder().encode(JSON.stringify({ subjects_filter: filter, offset })),
    timeoutMs: CALL_MS,
  });
  if (reply.kind !== 'message') throw new JetStreamCallError(`counting the jobs of queues: ${reply.kind}`);
  const answer = JSON.parse(new TextDecoder().decode(reply.data)) as {
    total?: number;
    state?: { subjects?: Record<string, number> };
  };
  return { total: answer.total ?? 0, subjects: answer.state?.subjects ?? {} };
}
