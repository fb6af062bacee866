import { setTimeout as sleep } from 'node:timers/promises';
import {
  claims,
  decideClaim,
  decideTake,
  decideWaiting,
  type EndedEvent,
  FIRST_POSITION,
  factsOf,
  frees,
  giveBack,
  holderOf,
  type JobEnvelope,
  type KeyHolder,
  type KeyNote,
  leftBehind,
  type UniqueAsk,
} from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { JetStreamCallError } from '../connection/errors.ts';
import { removeParked, removeTimer } from '../waiting/find-message.ts';
import { type KeySubject, keySubject, readNote, removeNote, writeNote } from './unique-bucket.ts';
import { noteVoid, whyVoid } from './void-jobs.ts';

/** What became of a call that asked for a key. */
export interface TakenKey {
  /** `own`: this very job has it already; the call is a repeat. */
  readonly answer: 'created' | 'existing' | 'replaced' | 'own';
  /** Who has the key now. */
  readonly holder: KeyHolder;
  /** It is held for a period, whatever becomes of the holder. */
  readonly timed: boolean;
  /** The jobs whose place this one takes. They are cleared away, by `clearReplaced`, when it is stored. */
  readonly replaces: readonly KeyHolder[];
}

/** How long it is tried against others that want the same key, milliseconds. */
const CONTEST_MS = 5_000;
const MAX_PAUSE_MS = 20;

/** One look at a note, and what it leads to; `undefined`: somebody else was faster, so look again. */
type Try<Result> = (seen: { revision: number; note: KeyNote | undefined }) => Promise<Result | undefined>;

/** Reads and writes until a write was the first after its reading. */
async function contest<Result>(bus: BusConnection, subject: KeySubject, act: Try<Result>): Promise<Result> {
  const end = performance.now() + CONTEST_MS;
  for (;;) {
    const result = await act(await readNote(bus, subject));
    if (result !== undefined) return result;
    if (performance.now() > end)
      throw new JetStreamCallError(`too many want one unique key: no turn within ${CONTEST_MS} ms`);
    await sleep(Math.random() * MAX_PAUSE_MS);
  }
}

/**
 * Asks for the key of a job that is about to be stored. The job is stored after this, or the key is given back by
 * `giveUpKey`; who dies in between leaves it to the recorder.
 * @param params.over a holder that is known to be over
 * @throws PublishRefusedError, PublishUnconfirmedError (then the key may be held), JetStreamCallError, BusClosedError
 */
export async function takeKey(
  bus: Bus,
  params: {
    readonly ask: UniqueAsk;
    readonly job: JobEnvelope;
    readonly over?: string | undefined;
    /** Unix milliseconds. */
    readonly now: number;
  },
): Promise<TakenKey> {
  const inner = inside(bus);
  const { ask, now, over } = params;
  const job = holderOf(params.job);
  const subject = keySubject(inner, ask, job);
  return contest<TakenKey>(inner, subject, async ({ revision, note }) => {
    const decision = decideTake({ note, ask, job, now, over });
    if ('note' in decision) return taken(decision.answer, decision.note);
    const written = await writeNote(inner, subject, decision.write, revision);
    return written === undefined ? undefined : taken(decision.answer, decision.write);
  });
}

function taken(answer: TakenKey['answer'], { holder, until, replaces = [] }: KeyNote): TakenKey {
  return { answer, holder, timed: until !== undefined, replaces };
}

/**
 * Gives back the key of a job that is certainly not stored.
 * @throws PublishRefusedError, PublishUnconfirmedError, JetStreamCallError, BusClosedError
 */
export async function giveUpKey(bus: Bus, job: JobEnvelope): Promise<void> {
  if (!job.unique) return;
  const inner = inside(bus);
  const subject = keySubject(inner, job.unique, job);
  await contest(inner, subject, async ({ revision, note }) => {
    const back = giveBack(note, job.id);
    if (back === 'keep') return true;
    if (back === 'remove') return (await removeNote(inner, revision)) || undefined;
    return writeNote(inner, subject, back, revision);
  });
}

/** Whether a run may begin: `wait`, ask again in a moment; `yield`, another job has the key, or has had it. */
export type Claimed =
  | { readonly may: 'run' }
  | { readonly may: 'wait' }
  | { readonly may: 'yield'; readonly why: string };

/**
 * Asks, before a run of a job begins, whether the key is its own, and notes that it begins. A key that was lost is taken
 * again. What it replaces is cleared away first, where nobody has done so yet: a job that runs is stored.
 * @throws PublishRefusedError, PublishUnconfirmedError, JetStreamCallError, BusClosedError, and what telling throws: then ask again
 */
export async function claimKey(
  bus: Bus,
  events: EndTeller,
  { job, now }: { readonly job: JobEnvelope; readonly now: number },
): Promise<Claimed> {
  const { unique } = job;
  if (!unique || !claims(unique)) return { may: 'run' };
  const inner = inside(bus);
  const subject = keySubject(inner, unique, job);
  return contest<Claimed>(inner, subject, async ({ revision, note }) => {
    // Whoever has replaced it may have run, and freed the key, while a message of this one was still on its way. A job of which the last
    // is kept may also run while another one waits.
    const asks = note === undefined || (unique.mode === 'last' && note.holder.id !== job.id);
    const why = asks ? await whyVoid(inner, job.id) : undefined;
    if (why !== undefined) return { may: 'yield', why };
    const decision = decideClaim({ note, unique, job: holderOf(job), run: job.run, now });
    if (decision.do === 'go') return { may: 'run' };
    if (decision.do === 'wait') return { may: 'wait' };
    if (decision.do === 'yield') return { may: 'yield', why: `job ${decision.to} has its unique key now` };
    await endReplaced(bus, events, { replaced: decision.cleared, by: job.id, now });
    const done =
      decision.do === 'remove'
        ? await removeNote(inner, revision)
        : (await writeNote(inner, subject, decision.note, revision)) !== undefined;
    return done ? { may: 'run' } : undefined;
  });
}

/**
 * Frees the key of a job that is over: after its end is stored, and before its message is acknowledged.
 * @throws JetStreamCallError, BusClosedError
 */
export async function releaseKey(bus: Bus, job: JobEnvelope): Promise<void> {
  if (!job.unique || !claims(job.unique)) return;
  const inner = inside(bus);
  const subject = keySubject(inner, job.unique, job);
  await contest(inner, subject, async ({ revision, note }) => {
    if (!note || !frees(note, job.id)) return true;
    const left = leftBehind(note);
    if (left) return writeNote(inner, subject, left, revision);
    return (await removeNote(inner, revision)) || undefined;
  });
}

/**
 * Notes that a job has run and waits again (a retry, a snooze, given back): where the last is kept, whoever calls next takes its
 * place, or somebody has it already. Before history is told, and before the message of the next run is there. May be repeated.
 * @param job with its next position
 * @throws PublishRefusedError, PublishUnconfirmedError, JetStreamCallError, BusClosedError
 */
export async function noteWaiting(bus: Bus, job: JobEnvelope): Promise<void> {
  const { unique, attempt, run } = job;
  if (unique?.mode !== 'last') return;
  const inner = inside(bus);
  const subject = keySubject(inner, unique, job);
  await contest(inner, subject, async ({ revision, note }) => {
    const write = decideWaiting({ note, unique, job: { ...holderOf(job), attempt, run } });
    return write === undefined || writeNote(inner, subject, write, revision);
  });
}

/** Where the end of a job is told. */
export interface EndTeller {
  publish(event: EndedEvent): Promise<unknown>;
}

/**
 * Clears away the jobs whose place another one has taken, when that one is stored: their timers and parking places are
 * removed, and history is told. A message of theirs on a queue is dropped by the worker that gets it, whatever has become of the
 * key by then: they are noted as void, unless their timer was all that there was. May be repeated.
 * @throws JetStreamCallError, PublishRefusedError, PublishUnconfirmedError, BusClosedError, and what telling throws
 */
export async function endReplaced(
  bus: Bus,
  events: EndTeller,
  params: { readonly replaced: readonly KeyHolder[]; readonly by: string; readonly now: number },
): Promise<void> {
  const { replaced, by, now } = params;
  await Promise.all(
    replaced.map(async (old) => {
      const timers = await removeTimer(bus, old.id);
      await removeParked(bus, { id: old.id, queue: old.queue });
      const reason = { code: 'replaced', text: `job ${by} has taken its place` };
      const place = { v: 1, input: null, ...FIRST_POSITION, ...old } as const;
      await events.publish({
        kind: 'ended',
        ...factsOf(place, undefined),
        state: 'cancelled',
        reason,
        at: now,
      });
      if (timers === 0) await noteVoid(inside(bus), { id: old.id, why: reason.text });
    }),
  );
}

/**
 * The same for a job that has just been stored, and notes that nothing is left to do. Where it fails, a worker or the
 * recorder does it; where the job was replaced itself already, whoever did that.
 * @throws JetStreamCallError, BusClosedError, and what telling throws
 */
export async function clearReplaced(
  bus: Bus,
  events: EndTeller,
  { job, now }: { readonly job: JobEnvelope; readonly now: number },
): Promise<void> {
  if (!job.unique) return;
  const inner = inside(bus);
  const subject = keySubject(inner, job.unique, job);
  await contest(inner, subject, async ({ revision, note }) => {
    if (note?.holder.id !== job.id || !note.replaces) return true;
    const { replaces: replaced, ...rest } = note;
    await endReplaced(bus, events, { replaced, by: job.id, now });
    return writeNote(inner, subject, rest, revision);
  });
}
