import type { JobEnvelope } from '../jobs/envelope.ts';
import { type Concurrency, concurrencyHash, MAX_CONCURRENCY_KEY } from './concurrency.ts';

/** A place for something of the input: `{input}`, `{input.host}`, `{input.account.id}`, `{input.hosts.0}`. */
const PLACE = /\{input((?:\.[^.{}]{1,128})*)\}/g;
/** Of a key that is too long so much stays, so that people know it again. */
const KEPT = 200;

/**
 * The key of a job by what its task says. A place for which the input has no text, number or truth value stays as it is
 * written: such jobs have one key together, so that none runs beside the limit, and none is lost.
 */
export function keyFor(template: string, input: unknown): string {
  const key = template.replace(PLACE, (place, path: string) => textOf(input, path) ?? place);
  const text = key.replaceAll('\0', '\ufffd').toWellFormed();
  if (text.length === 0) return template;
  if (text.length <= MAX_CONCURRENCY_KEY) return text;
  return `${text.slice(0, KEPT).toWellFormed()}…${concurrencyHash(text)}`;
}

function textOf(input: unknown, path: string): string | undefined {
  let value = input;
  for (const name of path.split('.').slice(1)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/**
 * The job with the concurrency key that its task says now, unless its call says one. What its task said when it was parked or
 * tried before is said anew.
 */
export function withTaskKey(job: JobEnvelope, said: Concurrency | undefined): JobEnvelope {
  const { concurrency, ...policy } = job.policy ?? {};
  if (concurrency && concurrency.by !== 'task') return job;
  if (said) {
    const { key, limit } = said;
    return { ...job, policy: { ...policy, concurrency: { key: keyFor(key, job.input), limit, by: 'task' } } };
  }
  if (!concurrency) return job;
  const { policy: _said, ...rest } = job;
  return Object.keys(policy).length === 0 ? rest : { ...rest, policy };
}
