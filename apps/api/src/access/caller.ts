import type { Asker } from '@jetbeat/core';
import { ApiError } from '../problems/problem.ts';
import type { Role } from './api-key.ts';

/** Who makes a request. It is the same for a key that a program sends and for a person who is signed in. */
export interface Caller {
  readonly kind: 'key' | 'session';
  /** Id of the key or of the session; never a secret. */
  readonly id: string;
  /** For people: what the key is called, or who is signed in. */
  readonly name: string;
  readonly role: Role;
  /** The only queues it sees and touches; absent: all of them. Nothing in it: none. */
  readonly queues?: readonly string[];
  /** Whether it sees inputs, results, notes and stack traces. */
  readonly payloads: boolean;
  /** From then on the key holds no more, also that of a session; Unix milliseconds. Absent: for as long as it is not taken back. */
  readonly expiresAt?: number;
  /** Of a session: whose it is. Limits count by `holderOf`. */
  readonly holder?: string;
  /** What is stored of the secret of the key, or of the token of the session, that it came with. It is shown to nobody. */
  readonly hash?: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes the request: there is one in every handler of `/api/v1`. */
    caller: Caller;
  }
}

/** Whom a job is said to be asked for by. */
export function askerOf({ kind, id, name }: Pick<Caller, 'kind' | 'id' | 'name'>): Asker {
  return { kind, id, name };
}

/**
 * Whose share of what is limited a caller uses: a key and all sessions that were begun with it have one, and all sessions of one person.
 * Else whoever signs in again would have another one.
 */
export function holderOf({ kind, id, holder }: Pick<Caller, 'kind' | 'id' | 'holder'>): string {
  return holder ?? `${kind} ${id}`;
}

/** What of a caller says which queues it sees and touches. */
export type Scoped = Pick<Caller, 'queues'>;

/** Whether a queue is among those that the caller sees and touches. */
export function maySeeQueue({ queues }: Scoped, queue: string): boolean {
  return queues === undefined || queues.includes(queue);
}

/** The caller's queues as a filter of a list. */
export function filterOfCaller({ queues }: Scoped): { readonly queues?: readonly string[] } {
  return queues === undefined ? {} : { queues };
}

/**
 * For what would put a job or a schedule into a queue.
 * @param queue undefined: nobody can say yet which one it will be
 * @param named how the caller has come to this queue: it is told the name only where it said it itself
 * @throws ApiError queue_not_allowed
 */
export function needQueue(
  caller: Scoped,
  queue: string | undefined,
  named: { pointer: string; isSaid: boolean },
): void {
  if (caller.queues === undefined || (queue !== undefined && maySeeQueue(caller, queue))) return;
  const { pointer, isSaid } = named;
  const message = isSaid
    ? `the key may not use the queue ${JSON.stringify(queue)}; its queues: ${namesOf(caller)}`
    : `without a queue this goes where its task belongs, and that is not one of the key's queues, or nobody knows it yet: name one of ${namesOf(caller)}`;
  throw new ApiError('queue_not_allowed', message, {
    issues: [{ pointer, code: 'queue_not_allowed', message }],
  });
}

/**
 * For what is of all queues at once, so that it would tell of others or change them.
 * @throws ApiError needs_every_queue
 */
export function needEveryQueue(caller: Scoped): void {
  if (caller.queues === undefined) return;
  const message = `this is of all queues at once, and the key is for some only: ${namesOf(caller)}`;
  throw new ApiError('needs_every_queue', message);
}

/**
 * For what would find out about inputs, results and notes without showing them, such as a filter by what stands in them.
 * @param what begins the message, e.g. `the filter "input.user"`
 * @throws ApiError payloads_hidden
 */
export function needPayloads({ payloads }: Pick<Caller, 'payloads'>, what: string): void {
  if (payloads) return;
  const message = `${what} looks into inputs, results or notes, and the key may not see these`;
  throw new ApiError('payloads_hidden', message);
}

function namesOf({ queues = [] }: Scoped): string {
  return queues.length === 0 ? 'none' : queues.map((name) => JSON.stringify(name)).join(', ');
}
