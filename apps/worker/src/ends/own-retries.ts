/** Steps at most, about; beyond that the oldest are forgotten, and asked about: 10 MB. */
const MAX = 100_000;
/** How long a step is trusted after the one before was delivered, milliseconds: JetStream knows a message id for 120 s. */
const KEEP_MS = 100_000;
/** After how many new ones it is looked for old ones. */
const LOOK_EVERY = 1_024;

/** A time on both clocks, in milliseconds: one stands while the machine sleeps, the other may be set. */
export interface Instant {
  readonly monotonic: number;
  readonly wall: number;
}

/** A step that this worker has published itself. */
interface OwnStep {
  /** Under which JetStream has stored it, as the first message of its id. */
  readonly seq: number;
  /** Its job. */
  readonly id: string;
  /** When this worker was handed the message of the step before. */
  readonly since: Instant;
}

/**
 * The next steps of jobs that this worker has published itself, and which nobody else can have published or run before: as
 * little in doubt as a first delivery. Why that is so: docs/decisions/doubt.md.
 */
export interface OwnRetries {
  /** Notes a step that is stored, if the message of the step before has been in this worker's hands alone. */
  add(step: OwnStep): void;
  /** Whether this message is one of them; it is answered once. */
  take(seq: number, id: string): boolean;
  /** What was received before now may be in other hands. */
  distrust(): void;
  /** The same, and what was noted before may be there twice. */
  forget(): void;
}

/**
 * @param params.aloneMs how long after its delivery a message is certainly in nobody else's hands: less than ack_wait, by
 *   more than a delivery may be on its way
 * @param params.keepMs how long after that its next step is trusted: less than JetStream knows message ids
 */
export function createOwnRetries(params: {
  aloneMs: number;
  keepMs?: number;
  clock?: () => Instant;
}): OwnRetries {
  const { aloneMs, keepMs = KEEP_MS, clock = instant } = params;
  const steps = new Map<number, OwnStep>();
  let distrustedAt = Number.NEGATIVE_INFINITY;
  let added = 0;
  const forgetOld = (now: Instant) => {
    for (const [seq, { since }] of steps) {
      if (age(since, now) <= keepMs && steps.size <= MAX) return;
      steps.delete(seq);
    }
  };
  const distrust = () => {
    distrustedAt = clock().monotonic;
  };
  return {
    distrust,
    add(step) {
      const now = clock();
      if (step.since.monotonic <= distrustedAt || age(step.since, now) > aloneMs) return;
      steps.set(step.seq, step);
      // Not each time: a look steps over all that was taken since the last.
      if (++added % LOOK_EVERY === 0) forgetOld(now);
    },
    take(seq, id) {
      const step = steps.get(seq);
      if (!step) return false;
      steps.delete(seq);
      return step.id === id && age(step.since, clock()) <= keepMs;
    },
    forget() {
      steps.clear();
      distrust();
    },
  };
}

/** Now. */
export function instant(): Instant {
  return { monotonic: performance.now(), wall: Date.now() };
}

/** The longer of what the two clocks say has passed. */
export function age(since: Instant, now: Instant): number {
  return Math.max(now.monotonic - since.monotonic, now.wall - since.wall);
}
