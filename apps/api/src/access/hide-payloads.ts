import { reasonWithoutKey } from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';

/** What stands in the place of a field that holds what the jobs of users are about; `undefined`: it is left out. */
const INSTEAD: Readonly<Record<string, unknown>> = {
  input: null,
  meta: {},
  result: undefined,
  stack: undefined,
};
/** The same of a part of a field. An address of a webhook may have a token in it, a message that never was a job anything. */
const INSTEAD_OF_PART: Readonly<Record<string, object>> = {
  webhook: { url: 'https://hidden.invalid/' },
  message: { headers: {}, body: '' },
};

/** For callers that may not see inputs, results, notes and stack traces: in every answer. */
export function hideFromCallers(app: FastifyInstance): void {
  app.addHook('preSerialization', async (request, _reply, body: unknown) =>
    // Without a caller nothing is shown that could be hidden, and nothing more than that.
    request.caller?.payloads === false ? hidePayloads(body) : body,
  );
}

/**
 * An answer without inputs, results, notes and stack traces, wherever they stand in it. It goes by the names of the fields, so that no route
 * that shows jobs can forget it. Jobs, schedules and dead letters say in `hidden` what of them is left out.
 */
export function hidePayloads(value: unknown): unknown {
  return hide(value, new Set());
}

function hide(value: unknown, hidden: Set<string>): unknown {
  if (!isObject(value)) return value;
  if (Array.isArray(value)) return value.map((each: unknown) => hide(each, hidden));
  const isThing = 'attempts' in value || 'when' in value || 'diedAt' in value;
  const own = isThing ? new Set<string>() : hidden;
  const shown = Object.entries(value).flatMap(([name, inner]: [string, unknown]): [string, unknown][] => {
    // What a task takes is no secret, and may have fields of these names.
    if (name === 'inputSchema' || isNothing(inner)) return [[name, inner]];
    const keyless = withoutKey(name, inner, value);
    if (keyless !== undefined) {
      own.add('concurrencyKey');
      return [[name, keyless]];
    }
    const isPart = Object.hasOwn(INSTEAD_OF_PART, name) && isObject(inner);
    if (!isPart && !Object.hasOwn(INSTEAD, name)) return [[name, hide(inner, own)]];
    own.add(name);
    if (isPart) return [[name, { ...inner, ...INSTEAD_OF_PART[name] }]];
    return INSTEAD[name] === undefined ? [] : [[name, INSTEAD[name]]];
  });
  if (isThing && own.size > 0) shown.push(['hidden', [...own].sort()]);
  return Object.fromEntries(shown);
}

/** What a task makes a concurrency key of stands in the input: a key, or a reason that tells of one, without it; else undefined. */
function withoutKey(name: string, inner: unknown, around: object): object | undefined {
  if (!isObject(inner)) return undefined;
  if (name === 'reason' && isReason(inner)) {
    const told = reasonWithoutKey(inner);
    return told === inner ? undefined : told;
  }
  const { from } = around as { from?: { concurrencyKey?: unknown } };
  if (name !== 'concurrencyKey' || from?.concurrencyKey !== 'task' || !('key' in inner)) return undefined;
  const { key: _, ...rest } = inner;
  return rest;
}

function isReason(value: object): value is { code: string; text: string } {
  const { code, text } = value as { code?: unknown; text?: unknown };
  return typeof code === 'string' && typeof text === 'string';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (isObject(value) && Object.keys(value).length === 0);
}
