import { meantOf } from '@jetbeat/core';
import type { AllowedMethods } from '../edges/allowed-methods.ts';
import { ApiError } from './problem.ts';

const BASE = '/api/v1';
/** What the addresses below it begin with. */
const NOUNS = [
  ...['jobs', 'schedules', 'queues', 'workers', 'tasks', 'dead-letters', 'batches', 'events', 'forecast'],
  ...['api-keys', 'audit', 'stats', 'session', 'sessions'],
];

/** And what those end with that do something. */
const VERBS = [
  ...['cancel', 'retry', 'run-now', 'pause', 'resume', 'purge', 'trigger', 'backfill', 'replay', 'abort'],
  ...['drain', 'stop', 'concurrency', 'queues', 'occurrences', 'next', 'events', 'preview', 'batch'],
];

/** An address that is longer is no slip. */
const MAX_PATH = 256;

/** The error for an address that is not there, with the one that was probably meant: without its begin, its end, or with a slip in its noun or its verb. */
export function routeNotFound(method: string, path: string, methodsOf: AllowedMethods): ApiError {
  const short = path.length <= MAX_PATH ? path : '';
  const [, noun = '', rest = ''] = /^(?:\/api)?(?:\/v\d)?\/([^/]*)(\/.*)?$/.exec(short) ?? [];
  const known = meantOf(noun, NOUNS) ?? noun;
  const verb = rest.slice(rest.lastIndexOf('/') + 1);
  const ends = `${rest.slice(0, rest.length - verb.length)}${meantOf(verb, VERBS) ?? verb}`;
  const meant = [`${BASE}/${noun}${rest}`, `${BASE}/${known}${rest}`, `${BASE}/${known}${ends}`]
    .flatMap((one) => [one, one.replace(/\/+$/, '')])
    .find((one) => one !== path && methodsOf(one)?.includes(method));
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return new ApiError('route_not_found', `${method} ${path} does not exist: see /docs${hint}`);
}
