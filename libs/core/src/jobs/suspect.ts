/** What a worker can see on a message, and what it knows of its surroundings, when it decides whether to trust it. */
export interface Delivered {
  /** From 1. */
  readonly deliveryCount: number;
  readonly attempt: number;
  readonly run: number;
  readonly parks: number;
  /** The worker that was handed it has published it itself, and knows that nobody can have run this step before. */
  readonly own: boolean;
  /** It carries `Jetbeat-Repeat`: whoever published it did not know whether an earlier publish had succeeded. */
  readonly repeat: boolean;
  /** Stream sequence. */
  readonly seq: number;
  /** Highest sequence of its queue that may have been settled before. */
  readonly settledUpTo: number;
  /** A message schedule fired it. */
  readonly fromTimer: boolean;
  /** Milliseconds since a server came back that can have forgotten what it had done before; infinite when none has. */
  readonly restartedFor: number;
  /** Milliseconds. */
  readonly ackWait: number;
}

/**
 * Whether a message may be one that has been settled already: a killed server can forget the last acknowledgements and
 * hand finished jobs out as if new. Only such messages cost a question to the recorder.
 */
export function isSuspect(message: Delivered): boolean {
  return mayBeOther(message) || (!message.own && isLater(message));
}

/**
 * Whether nobody else can have begun this step without a question: a later step is in no doubt only for the worker that has published it
 * itself, without a delay, and is handed it first.
 */
export function isFresh(message: Delivered): boolean {
  return isLater(message) && message.parks === 0 && (message.fromTimer || !mayBeOther(message));
}

function isLater({ attempt, run }: Delivered): boolean {
  return attempt > 1 || run > 1;
}

/** Somebody may have been handed it before, or another message of the same step. */
function mayBeOther(message: Delivered): boolean {
  return (
    message.deliveryCount > 1 ||
    message.parks > 0 ||
    message.repeat ||
    message.seq <= message.settledUpTo ||
    (message.fromTimer && message.restartedFor < 2 * message.ackWait)
  );
}
