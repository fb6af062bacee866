import { MalformedMessageError } from './errors.ts';
import { isUuid } from './ids.ts';
import { isName } from './names.ts';
import { isTooDeep, MAX_NESTING } from './nesting.ts';
import type { PolicyOverrides } from './policy.ts';

/** The three lanes of a queue. */
export const PRIORITIES = ['high', 'normal', 'low'] as const;
/** A lane of a queue. */
export type Priority = (typeof PRIORITIES)[number];

/** Which occurrence of which schedule a job is. */
export interface ScheduleRef {
  readonly id: string;
  readonly name: string;
  /** Unix milliseconds. */
  readonly nominalTime: number;
  readonly origin: string;
}

/**
 * Where a job stands on its way. Every message and every event of a job carries it, and history orders by it, so that
 * they may arrive late, twice or out of order.
 */
export interface Position {
  /** Number of the attempt, from 1; rises only by an outcome that is a failure. */
  readonly attempt: number;
  /** Ordinal of the run, from 1; rises whenever a handler begins anew (retry, snooze, loss, given back). */
  readonly run: number;
  /** How often the job has been parked. */
  readonly parks: number;
}

/** A job as it travels in JOBS: self-contained, since a worker never asks Jetbeat's database. Times in Unix milliseconds. */
export interface JobEnvelope extends Position {
  readonly v: 1;
  /** UUIDv7. */
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: Priority;
  readonly input: unknown;
  readonly meta?: Readonly<Record<string, string>>;
  /** What the call said about retry and time limits; the rest comes from the task. */
  readonly policy?: PolicyOverrides;
  readonly createdAt: number;
  /** When the job as a whole was due; does not change by a retry. */
  readonly runAt: number;
  readonly schedule?: ScheduleRef;
  /** The job whose handler enqueued this one. */
  readonly parent?: string;
}

/** The position of a job that nobody has touched. */
export const FIRST_POSITION: Position = { attempt: 1, run: 1, parks: 0 };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Writes an envelope as UTF-8 JSON. */
export function encodeEnvelope(envelope: JobEnvelope): Uint8Array {
  return encoder.encode(JSON.stringify(envelope));
}

/**
 * Reads an envelope.
 * @throws MalformedMessageError for anything that this version does not write
 */
export function decodeEnvelope(data: Uint8Array): JobEnvelope {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(data));
  } catch (cause) {
    throw new MalformedMessageError('the message is not UTF-8 JSON', { cause });
  }
  if (typeof value !== 'object' || value === null)
    throw new MalformedMessageError('the message is no JSON object');
  if (isTooDeep(value))
    throw new MalformedMessageError(`the message is nested deeper than ${MAX_NESTING} levels`);
  const job = value as Partial<JobEnvelope>;
  if (job.v !== 1)
    throw new MalformedMessageError(`envelope version ${JSON.stringify(job.v)} is not known here, only 1`);
  const wrong = firstWrongField(job);
  if (wrong) throw new MalformedMessageError(`the envelope's field "${wrong}" is missing or wrong`);
  return value as JobEnvelope;
}

/** The id under which JetStream recognises a repeated publish of the same step of the same job. */
export function messageId(job: { readonly id: string } & Position): string {
  return `${job.id}.${job.attempt}.${job.run}.${job.parks}`;
}

function firstWrongField(job: Partial<JobEnvelope>): string | undefined {
  if (!isUuid(job.id)) return 'id';
  if (!isName('task', job.task)) return 'task';
  if (!isName('queue', job.queue)) return 'queue';
  if (!PRIORITIES.includes(job.priority as Priority)) return 'priority';
  if (!isCount(job.attempt, 1)) return 'attempt';
  if (!isCount(job.run, 1)) return 'run';
  if (!isCount(job.parks, 0)) return 'parks';
  if (!isCount(job.createdAt, 0)) return 'createdAt';
  if (!isCount(job.runAt, 0)) return 'runAt';
  if (!isObjectOrAbsent(job.meta) || Object.values(job.meta ?? {}).some((text) => typeof text !== 'string'))
    return 'meta';
  if (!isPolicy(job.policy)) return 'policy';
  if (!hasKinds(job.schedule, SCHEDULE_KINDS)) return 'schedule';
  return undefined;
}

const SCHEDULE_KINDS = { id: 'string', name: 'string', origin: 'string', nominalTime: 'number' };
const RETRY_KINDS = {
  attempts: 'number',
  delay: 'number',
  factor: 'number',
  max: 'number',
  jitter: 'boolean',
};
const TIMEOUT_KINDS = { soft: 'number', hard: 'number' };

/** A wrong type in a policy would fail where it is used, again and again; so it is refused where it comes in. */
function isPolicy(value: unknown): boolean {
  if (!isObjectOrAbsent(value)) return false;
  const { retry, timeout } = (value ?? {}) as { retry?: unknown; timeout?: unknown };
  return hasKinds(retry, RETRY_KINDS) && hasKinds(timeout, TIMEOUT_KINDS);
}

/** Whether a value is absent, or an object whose fields, where they are there, are of these kinds. */
function hasKinds(value: unknown, kinds: Readonly<Record<string, string>>): boolean {
  if (!isObjectOrAbsent(value)) return false;
  const fields = (value ?? {}) as Record<string, unknown>;
  return Object.entries(kinds).every(
    ([name, kind]) => fields[name] === undefined || typeof fields[name] === kind,
  );
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function isObjectOrAbsent(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value));
}
