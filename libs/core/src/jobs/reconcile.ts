/** What history says of an open job that is overdue, or was committed and not heard of since. */
export interface OpenJob {
  /** Whether anything says that its message (or its timer) is in JetStream. */
  readonly published: boolean;
  /** Sequence of its message in JOBS, where it is known and JOBS has neither been replaced nor lost its tail since. */
  readonly seq?: number | undefined;
  /** The ends of both streams as an earlier look noted them, for this position of the job. */
  readonly note?: ReconcileMarks | undefined;
}

/** A moment in both streams. */
export interface ReconcileMarks {
  /** Last sequence of JOBS. */
  readonly jobsSeq: number;
  /** Last sequence of EVENTS, read after that of JOBS. */
  readonly eventsSeq: number;
}

/** What became known of the streams before the job's row was read. */
export interface StreamFacts {
  /** The consumer of the job's queue and priority. */
  readonly consumer: {
    /** Highest stream sequence that it has handed out of the lane that the job is in, where that is known; else of any. */
    readonly delivered: number;
    /** Every message of its own up to this stream sequence is acknowledged. */
    readonly ackFloor: number;
    /** It has nothing pending and nothing unacknowledged: then its floor counts as passed. */
    readonly idle: boolean;
  };
  /** Last sequence of JOBS now. */
  readonly jobsSeq: number;
  /** Last sequence of EVENTS now. */
  readonly eventsSeq: number;
  /** Up to where the recorder has committed EVENTS. */
  readonly recordedUpTo: number;
}

/** What the look-ups at the leader found; each must carry the job's id to count. */
export interface Findings {
  /** The message at the known sequence. */
  readonly message: boolean;
  readonly timer: boolean;
  readonly parked: boolean;
}

/** What to do about an open job: nothing yet; note the ends of both streams; publish it again with `Jetbeat-Repeat`. */
export type ReconcileDecision = 'wait' | 'note' | 'republish';

/**
 * First step: whether the job must be looked up at all. A message above what its consumer has handed out simply waits its
 * turn, and nothing is asked of the server for it. But with a consumer that has nothing left to hand out nothing waits: it
 * was removed.
 */
export function needsLook(job: OpenJob, streams: StreamFacts): boolean {
  const { delivered, idle } = streams.consumer;
  return idle || job.seq === undefined || job.seq <= delivered;
}

/**
 * Second step, after the look-ups. What was found is on its way, or the server hands it out again. What was never known as
 * published is published: its id stops a repeat within the duplicate window, and after that the doubt does.
 *
 * Of the rest nothing was found, but it may be in JOBS under a sequence that nobody knows (its timer fired), or settled by an
 * event that history has not read. So the ends of JOBS and then of EVENTS are noted, and only when its consumer has
 * acknowledged everything up to the one, and history has read up to the other, and the job is still open, is it lost.
 */
export function decideReconcile(job: OpenJob, streams: StreamFacts, found: Findings): ReconcileDecision {
  if (found.message || found.timer || found.parked) return 'wait';
  if (!job.published) return 'republish';
  const { note } = job;
  // Marks beyond the end of a stream are of a stream that is no more.
  if (!note || note.jobsSeq > streams.jobsSeq || note.eventsSeq > streams.eventsSeq) return 'note';
  const passed = streams.consumer.idle || streams.consumer.ackFloor >= note.jobsSeq;
  return passed && streams.recordedUpTo >= note.eventsSeq ? 'republish' : 'wait';
}
