/** How often and how long, in milliseconds. Tests shorten them. */
export interface RecorderTimes {
  /** A job that was committed and whose publish nobody noted for so long is published by the recorder. */
  readonly unpublishedAfterMs: number;
  readonly reconcileEveryMs: number;
  /** A cancel that was noted so long ago and is not carried out is carried out by the recorder, which looks so often. */
  readonly cancelsAfterMs: number;
  readonly cancelsEveryMs: number;
  readonly releaseEveryMs: number;
  /** How often it is looked whether a concurrency key is free for which jobs wait; workers look first. */
  readonly keySlotsEveryMs: number;
  /** How often jobs that expired are ended, and how long after their time at the earliest. */
  readonly expireEveryMs: number;
  readonly expireGraceMs: number;
  /** How often it is looked at what follows the end of jobs, and how long after it at the earliest. */
  readonly followEveryMs: number;
  readonly followGraceMs: number;
  readonly topologyEveryMs: number;
  readonly trimEveryMs: number;
  readonly sweepEveryMs: number;
  /** How often the fill level is told. */
  readonly gaugeEveryMs: number;
  readonly partitionEveryMs: number;
  readonly settledEveryMs: number;
  readonly progressEveryMs: number;
  /** How often what processes are told of queues is compared with PostgreSQL, and what queues got done is noted. */
  readonly queuesEveryMs: number;
  readonly ratesEveryMs: number;
  /** How often a purge is looked for, and goes on. */
  readonly purgeEveryMs: number;
  /** How often unique keys are looked at, and how long after it was noted the key of a job is freed that nobody knows. */
  readonly keysEveryMs: number;
  readonly keyUnknownAfterMs: number;
  /** How long history may take to catch up before a doubt stays without an answer; the asker waits for 5 s. */
  readonly doubtWaitMs: number;
  /** How long workers may take to say what they hold. */
  readonly heldWaitMs: number;
  /** How long events are held without PostgreSQL before they go back to JetStream, for a recorder that can reach it. */
  readonly holdMs: number;
  /** How far live readers of EVENTS may go back. */
  readonly liveMs: number;
}

/** What holds outside of tests. */
export const DEFAULT_TIMES: RecorderTimes = {
  unpublishedAfterMs: 5_000,
  reconcileEveryMs: 1_000,
  cancelsAfterMs: 5_000,
  cancelsEveryMs: 1_000,
  releaseEveryMs: 2_000,
  keySlotsEveryMs: 5_000,
  expireEveryMs: 1_000,
  expireGraceMs: 1_000,
  followEveryMs: 1_000,
  followGraceMs: 1_000,
  topologyEveryMs: 5_000,
  trimEveryMs: 5_000,
  sweepEveryMs: 5_000,
  gaugeEveryMs: 1_000,
  partitionEveryMs: 3_600_000,
  settledEveryMs: 200,
  progressEveryMs: 1_000,
  queuesEveryMs: 10_000,
  ratesEveryMs: 5_000,
  purgeEveryMs: 500,
  keysEveryMs: 2_000,
  keyUnknownAfterMs: 45_000,
  doubtWaitMs: 3_800,
  heldWaitMs: 1_000,
  holdMs: 8_000,
  liveMs: 3_600_000,
};
