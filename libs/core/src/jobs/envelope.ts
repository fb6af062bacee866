import { MalformedMessageError } from '../errors.ts';
import { isUuid } from '../ids.ts';
import { isName } from '../names.ts';
import { areCallbacks } from '../policy/callback.ts';
import { isConcurrency } from '../policy/concurrency.ts';
import type { PolicyOverrides } from '../policy/policy.ts';
import { isUniqueRef, type UniqueRef } from '../unique/unique.ts';
import { isTooDeep, MAX_NESTING } from './nesting.ts';

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
  /** No run begins at this time or later: then the job ends as `expired`. */
  readonly expiresAt?: number;
  readonly schedule?: ScheduleRef;
  /** The job whose handler enqueued this one. */
  readonly parent?: string;
  /** The key that it is unique by. */
  readonly unique?: UniqueRef;
  /** How often what ran it has vanished (a worker, a child process); absent: never. */
  readonly losses?: number;
}

/** The position of a job that nobody has touched. */
export const FIRST_POSITION: Position = { attempt: 1, run: 1, parks: 0 };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Writes an envelope as JSON text around its input, which was written before. A third of the cost of `JSON.stringify`, which
 * would walk the input once more.
 * @param input JSON of `envelope.input`
 */
export function envelopeText(envelope: JobEnvelope, input: string): string {
  const { v, id, task, queue, priority, meta, policy, createdAt, runAt, expiresAt } = envelope;
  const { schedule, parent, unique, attempt, run, parks, losses } = envelope;
  const names = `"v":${v},"id":${quote(id)},"task":${quote(task)},"queue":${quote(queue)}`;
  const position = `"attempt":${attempt},"run":${run},"parks":${parks}`;
  const rest = optional('meta', meta) + optional('policy', policy) + optional('schedule', schedule);
  const expiry = expiresAt === undefined ? '' : `,"expiresAt":${expiresAt}`;
  const times = `"createdAt":${createdAt},"runAt":${runAt}${expiry}`;
  const links = optional('parent', parent) + optional('unique', unique) + optional('losses', losses);
  return `{${names},"priority":"${priority}","input":${input},${rest}${links}${times},${position}}`;
}

const quote = JSON.stringify;

function optional(name: string, value: unknown): string {
  return value === undefined ? '' : `"${name}":${quote(value)},`;
}

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
  const number = firstWrongNumber(job);
  if (number) return number;
  if (!isMeta(job.meta)) return 'meta';
  if (!isPolicy(job.policy)) return 'policy';
  if (!hasKinds(job.schedule, SCHEDULE_KINDS)) return 'schedule';
  if (job.unique !== undefined && !isUniqueRef(job.unique)) return 'unique';
  return undefined;
}

function firstWrongNumber(job: Partial<JobEnvelope>): string | undefined {
  if (!isCount(job.attempt, 1)) return 'attempt';
  if (!isCount(job.run, 1)) return 'run';
  if (!isCount(job.parks, 0)) return 'parks';
  if (!isCount(job.createdAt, 0)) return 'createdAt';
  if (!isCount(job.runAt, 0)) return 'runAt';
  if (job.expiresAt !== undefined && !(isCount(job.expiresAt, 0) && job.expiresAt <= MAX_TIME))
    return 'expiresAt';
  if (job.losses !== undefined && !isCount(job.losses, 0)) return 'losses';
  return undefined;
}

/** The last time that a `Date` can be (ECMA-262, "Time Values"). */
const MAX_TIME = 8.64e15;

/** Fields of an object and their types, as pairs: they are gone through for every message. */
type Kinds = readonly (readonly [name: string, kind: string])[];

const SCHEDULE_KINDS: Kinds = [
  ['id', 'string'],
  ['name', 'string'],
  ['origin', 'string'],
  ['nominalTime', 'number'],
];
const RETRY_KINDS: Kinds = [
  ['attempts', 'number'],
  ['backoff', 'string'],
  ['factor', 'number'],
  ['max', 'number'],
  ['jitter', 'boolean'],
];
const TIMEOUT_KINDS: Kinds = [
  ['soft', 'number'],
  ['hard', 'number'],
];

function isMeta(value: unknown): boolean {
  if (value === undefined) return true;
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string');
}

/** A wrong type in a policy would fail where it is used, again and again; so it is refused where it comes in. */
function isPolicy(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isObject(value)) return false;
  const { retry, timeout, onSuccess, onFailure, concurrency } = value;
  return (
    hasKinds(retry, RETRY_KINDS) &&
    hasKinds(timeout, TIMEOUT_KINDS) &&
    hasLists(retry) &&
    areCallbacks(onSuccess) &&
    areCallbacks(onFailure) &&
    (concurrency === undefined || isConcurrency(concurrency))
  );
}

/** The fields of retry that are lists, or may be one. */
function hasLists(retry: unknown): boolean {
  const { delay = 0, retryOn = [], noRetryOn = [] } = isObject(retry) ? retry : {};
  return (
    (typeof delay === 'number' || isListOf('number', delay)) &&
    isListOf('string', retryOn) &&
    isListOf('string', noRetryOn)
  );
}

function isListOf(kind: string, value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === kind);
}

/** Whether a value is absent, or an object whose fields, where they are there, are of these kinds. */
function hasKinds(value: unknown, kinds: Kinds): boolean {
  if (value === undefined) return true;
  if (!isObject(value)) return false;
  return kinds.every(([name, kind]) => value[name] === undefined || typeof value[name] === kind);
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
