import { isTerminal, type JobState, NOT_BEGUN_STATES, type Position } from '@jetbeat/core';
import type { JobRecord } from '@jetbeat/postgres';
import { ApiError } from '../problems/problem.ts';

/** A worker that has begun a job. */
export interface Holder {
  readonly worker: string;
  /** At which step; absent where its event loop does not answer. */
  readonly position?: Position;
  /** The handler has ended, and what it came to is being stored. */
  readonly settling: boolean;
}

/** What it takes to get hold of a job, wherever it is. */
export interface ReachPorts {
  /** The row as it is now. */
  look(id: string): Promise<JobRecord | undefined>;
  /** Removes the job's timer and its parking place; how many there were. */
  removeWaiting(id: string, queue: string): Promise<number>;
  /** Removes the job's message unless a worker may have got it; whether it did. */
  takeWaiting(id: string, seq: number): Promise<boolean>;
  deleteMessage(seq: number): Promise<boolean>;
  /** Resolves when everything that was stored in EVENTS before is in history. */
  caughtUp(): Promise<void>;
  /** Asks the live workers of the queue, of which each drops what it has not begun: who has begun it, and who did not answer. */
  ask(id: string, queue: string): Promise<{ holder?: Holder; silent: readonly string[] }>;
  isConnected(): boolean;
}

/** Whether a job in this state has not begun its next attempt. */
export function isWaiting(state: JobState): boolean {
  return (NOT_BEGUN_STATES as readonly JobState[]).includes(state);
}

/** Whether the job was removed from JetStream before a worker could have it. */
export async function takeOut(ports: ReachPorts, job: JobRecord): Promise<boolean> {
  const { id, queue, seq } = job;
  if ((await ports.removeWaiting(id, queue)) > 0) return true;
  return seq !== undefined && ports.takeWaiting(id, seq);
}

/** @throws ApiError job_ended */
export function refuseEnded(state: JobState): void {
  if (isTerminal(state)) throw new ApiError('job_ended', `the job is over: ${state}`);
}

/** @throws ApiError messaging_unavailable */
export function needConnection(ports: Pick<ReachPorts, 'isConnected'>): void {
  if (ports.isConnected()) return;
  const message = 'NATS does not answer, so the workers cannot be told; nothing was changed, repeat later';
  throw new ApiError('messaging_unavailable', message, { retryAfter: 5 });
}

/** The error for an id that names no job. */
export function notFound(id: string): ApiError {
  return new ApiError('job_not_found', `no job has the id ${JSON.stringify(id)}`);
}
