import { checkName, InvalidInputError, isName, isUuid, PRIORITIES, type Priority } from '@jetbeat/core';

/** What a parked job waits for, as its subject says it. */
export type ParkedWhat =
  | { readonly what: 'doubt' }
  | { readonly what: 'task'; readonly task: string }
  /** A slot of its concurrency key; the hash stands for the key. */
  | { readonly what: 'key'; readonly hash: string }
  /** A start of its rate; the hash stands for whose rate it is. */
  | { readonly what: 'rate'; readonly hash: string };

/**
 * A lane of a queue: one for what comes, one for what was parked and goes on before that. Each has the older jobs of its priority in front, so
 * that together they are in the order of their age.
 */
export type Lane = Priority | `${Priority}-front`;

/** Where a job waits for a worker. */
export interface JobPlace {
  readonly queue: string;
  readonly priority: Priority;
  readonly task: string;
  /** It was parked, and goes before what has not been. */
  readonly front?: boolean | undefined;
}

/** The lane of a priority. */
export function laneOf(priority: Priority, front: boolean | undefined): Lane {
  return front ? `${priority}-front` : priority;
}

/** The lanes of one priority, the one first that goes first. */
export function lanesOf(priority: Priority): readonly [Lane, Lane] {
  return [`${priority}-front`, priority];
}

/** All lanes of a queue. */
export const LANES: readonly Lane[] = PRIORITIES.flatMap(lanesOf);

/** What a subject of ours says. */
export type ParsedSubject =
  | ({ readonly kind: 'job' } & JobPlace)
  | { readonly kind: 'timer'; readonly id: string }
  | { readonly kind: 'parked'; readonly queue: string; readonly what: ParkedWhat; readonly id: string }
  | { readonly kind: 'dead'; readonly queue: string; readonly task: string };

/** Where the names of an installation begin; a Bus is one. */
export interface Named {
  /** `''` for none. */
  readonly namespace: string;
}

/** First tokens that subjects without a namespace have, so that no namespace may be called like them. */
const RESERVED = new Set(['jobs', 'timers', 'parked', 'events', 'dead', 'questions', 'control']);

/**
 * Returns `namespace` when it is one token that cannot meet the subjects of an installation without one.
 * @throws InvalidInputError otherwise
 */
export function checkNamespace(namespace: string): string {
  if (namespace === '') return namespace;
  if (isName('queue', namespace) && !RESERVED.has(namespace)) return namespace;
  const message = `${JSON.stringify(namespace)} is no namespace: use one token of A-Z a-z 0-9 _ - (at most 64), none of ${[...RESERVED].join(', ')}`;
  throw new InvalidInputError(message, [{ pointer: '/namespace', code: 'invalid_namespace', message }]);
}

/** The name of a stream: `JOBS`, or `acme_JOBS` in the namespace `acme`. */
export function streamName(at: Named, name: 'JOBS' | 'EVENTS' | 'DEAD'): string {
  return at.namespace === '' ? name : `${at.namespace}_${name}`;
}

/** The KV buckets. */
export type Bucket = 'cancelled' | 'settled' | 'limits' | 'unique' | 'leases' | 'slots';

/** The name of a KV bucket. */
export function bucketName(at: Named, name: Bucket): string {
  return at.namespace === '' ? name : `${at.namespace}_${name}`;
}

/** Puts the namespace before a subject. */
export function inNamespace(at: Named, subject: string): string {
  return at.namespace === '' ? subject : `${at.namespace}.${subject}`;
}

/** The durable consumer of one lane of a queue. The lane comes last and has no `_`, so no two lanes share a name. */
export function durableName(queue: string, lane: Lane): string {
  return `${checkName('queue', queue)}_${checkLane(lane)}`;
}

/** Which lane a durable consumer is of; undefined for what is none, e.g. one that an operator made. */
export function readDurable(name: string): { readonly queue: string; readonly lane: Lane } | undefined {
  const at = name.lastIndexOf('_');
  const queue = name.slice(0, Math.max(0, at));
  const lane = name.slice(at + 1);
  return isName('queue', queue) && isLane(lane) ? { queue, lane } : undefined;
}

/** The priority of a lane. */
export function priorityOf(lane: Lane): Priority {
  return PRIORITIES.find((priority) => lane.startsWith(priority)) ?? 'normal';
}

/** The durable consumer by which the recorder reads EVENTS. */
export const RECORDER_DURABLE = 'recorder';

/** Where a job waits for a worker: `jobs.<queue>.<lane>.<task>`. Throws InvalidInputError for what is no name. */
export function jobSubject(at: Named, { queue, priority, front, task }: JobPlace): string {
  const lane = checkLane(laneOf(priority, front));
  return inNamespace(at, `jobs.${checkName('queue', queue)}.${lane}.${checkName('task', task)}`);
}

/** All subjects of one lane, of all queues. */
export function laneSubjects(at: Named, lane: Lane): string {
  return inNamespace(at, `jobs.*.${lane}.>`);
}

/** Whether a subject can be of both; `*` stands for one token, `>` at the end for all that follow. */
export function overlap(one: string, other: string): boolean {
  const [first, second] = [one.split('.'), other.split('.')];
  for (let place = 0; ; place++) {
    const [a, b] = [first[place], second[place]];
    if (a === undefined || b === undefined) return a === b;
    if (a === '>' || b === '>') return true;
    if (a !== b && a !== '*' && b !== '*') return false;
  }
}

/** Where a job waits for its time: `timers.<jobId>`. */
export function timerSubject(at: Named, id: string): string {
  return inNamespace(at, `timers.${checkId(id)}`);
}

/** Where a job that may not start waits: `parked.<queue>.<what>.<jobId>`; in a task's name `/` stands for a dot. */
export function parkedSubject(
  at: Named,
  place: { readonly queue: string; readonly what: ParkedWhat; readonly id: string },
): string {
  const { queue, what, id } = place;
  return inNamespace(at, `parked.${checkName('queue', queue)}.${parkedToken(what)}.${checkId(id)}`);
}

/** Where a dead letter is kept: `dead.<queue>.<task>`. */
export function deadSubject(at: Named, queue: string, task: string): string {
  return inNamespace(at, `dead.${checkName('queue', queue)}.${checkName('task', task)}`);
}

/** Reads a subject; `undefined` for one that this version does not write. */
export function parseSubject(at: Named, subject: string): ParsedSubject | undefined {
  const prefix = inNamespace(at, '');
  if (!subject.startsWith(prefix)) return undefined;
  const [first = '', second = '', third = '', ...rest] = subject.slice(prefix.length).split('.');
  const last = rest.join('.');
  switch (first) {
    case 'jobs':
      if (!isName('queue', second) || !isLane(third) || !isName('task', last)) return undefined;
      return {
        kind: 'job',
        queue: second,
        priority: priorityOf(third),
        task: last,
        ...(third.endsWith('-front') ? { front: true } : {}),
      };
    case 'timers':
      return isUuid(second) && third === '' && last === '' ? { kind: 'timer', id: second } : undefined;
    case 'parked': {
      const what = parseWhat(third);
      return isName('queue', second) && what && isUuid(last)
        ? { kind: 'parked', queue: second, what, id: last }
        : undefined;
    }
    case 'dead': {
      const task = last === '' ? third : `${third}.${last}`;
      return isName('queue', second) && isName('task', task)
        ? { kind: 'dead', queue: second, task }
        : undefined;
    }
    default:
      return undefined;
  }
}

function isLane(value: string): value is Lane {
  return (LANES as readonly string[]).includes(value);
}

/**
 * Returns `id` when it is a UUID.
 * @throws InvalidInputError otherwise; nothing unchecked becomes part of a subject
 */
export function checkId(id: string): string {
  if (isUuid(id)) return id;
  const message = `${JSON.stringify(id)} is not a job id: use a UUID in lower case`;
  throw new InvalidInputError(message, [{ pointer: '/id', code: 'invalid_id', message }]);
}

function checkLane(lane: string): Lane {
  if (isLane(lane)) return lane;
  const message = `${JSON.stringify(lane)} is not a priority: use ${PRIORITIES.join(', ')}`;
  throw new InvalidInputError(message, [{ pointer: '/priority', code: 'invalid_priority', message }]);
}

function parkedToken(what: ParkedWhat): string {
  if (what.what === 'doubt') return 'doubt';
  if (what.what === 'key' || what.what === 'rate') return `${what.what}:${checkName('queue', what.hash)}`;
  return `task:${checkName('task', what.task).replaceAll('.', '/')}`;
}

function parseWhat(token: string): ParkedWhat | undefined {
  if (token === 'doubt') return { what: 'doubt' };
  for (const what of ['key', 'rate'] as const) {
    const hash = token.startsWith(`${what}:`) ? token.slice(what.length + 1) : '';
    if (isName('queue', hash)) return { what, hash };
  }
  const task = token.startsWith('task:') ? token.slice('task:'.length).replaceAll('/', '.') : '';
  return isName('task', task) ? { what: 'task', task } : undefined;
}
