import { Compile } from 'typebox/compile';
import type { Operation, Schema } from './operation.ts';
import type { FuzzRequest } from './request.ts';
import type { FuzzAnswer } from './send.ts';

/** Says what is wrong with an answer; undefined: nothing is. */
export type JudgeAnswer = (request: FuzzRequest, answer: FuzzAnswer) => string | undefined;

/** Beyond what was asked to wait, milliseconds; the server's own limit is less. */
const HANG_MS = 7_000;
/** What every address may answer, whatever its description says: an address that is not there, a method, a body of another type. */
const ANYWHERE: readonly number[] = [404, 405, 415];
/** A request before this one has said that the queue takes no more. */
const FULL = '"code":"queue_full"';

/** Judges by the description: no 5xx, no hang, a status that it names, the headers and the body that it says, problems as RFC 9457 has them. */
export function createJudge(problem: Schema): JudgeAnswer {
  const unlike = createCheck();
  const wrongProblem = ({ status, type, body }: FuzzAnswer): string | undefined => {
    if (type !== 'application/problem+json') return `${status} is ${type}, not a problem`;
    const wrong = unlike(problem, body);
    if (wrong !== undefined) return `${status}: ${wrong}`;
    return (JSON.parse(body) as { status: number }).status === status
      ? undefined
      : `${status} says another status`;
  };
  const undescribed = ({ answers, headers }: Operation, answer: FuzzAnswer): string | undefined => {
    const { status, type, body, isStream } = answer;
    const without = headers.get(status)?.find((name) => answer.headers[name] === undefined);
    if (without !== undefined) return `${status} is without its header ${without}`;
    const media = answers.get(status);
    if (!media)
      return ANYWHERE.includes(status) ? undefined : `${status} is not described: ${body.slice(0, 200)}`;
    if (media.size === 0) return body === '' ? undefined : `${status} has a body, of which nothing is said`;
    const schema = media.get(type);
    if (!schema) return `${status} is ${type}, which is not described`;
    return isStream || status >= 400 ? undefined : unlike(schema, body);
  };

  return ({ operation, method, path }, answer) => {
    const { status, body, headers, took } = answer;
    if (status >= 500 && !body.includes(FULL)) return `answered ${status}: ${body.slice(0, 300)}`;
    if (took > HANG_MS && !path.includes('wait=')) return `took ${Math.round(took)} ms`;
    if (headers['x-content-type-options'] !== 'nosniff')
      return `${status} without the headers of every answer`;
    if (method === 'HEAD') return body === '' ? undefined : 'an answer to HEAD has a body';
    const wrong = status >= 400 ? wrongProblem(answer) : undefined;
    if (wrong !== undefined || method !== operation.method || !isThere(operation, path)) return wrong;
    return undescribed(operation, answer);
  };
}

/** Says how a body differs from a schema, which is compiled once. */
function createCheck(): (schema: Schema, body: string) => string | undefined {
  const compiled = new Map<Schema, { Check(value: unknown): boolean; Errors(value: unknown): unknown }>();
  return (schema, body) => {
    const check = compiled.get(schema) ?? Compile(schema as object);
    compiled.set(schema, check);
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch {
      return `its body is no JSON: ${body.slice(0, 200)}`;
    }
    if (check.Check(value)) return undefined;
    return `its body is not as described: ${JSON.stringify(check.Errors(value)).slice(0, 400)}`;
  };
}

/** Nonsense at the end of an address makes another one of it, or none. */
function isThere({ path: template }: Operation, path: string): boolean {
  const [only = ''] = path.split(/[?#]/);
  if (/%(?![0-9a-f]{2})/i.test(only)) return false;
  return only.split('/').length === template.split('/').length;
}
