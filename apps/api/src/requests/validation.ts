import { describeIssues, type InvalidInputError, type Issue } from '@jetbeat/core';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { System } from 'typebox/system';
import { reread } from '../jobs/reread.ts';
import { explain, readStep } from '../problems/explain.ts';
import { ApiError } from '../problems/problem.ts';
import { reword } from '../problems/reword.ts';
import { findUnstorable } from './storable.ts';

/** A union tells the findings of every alternative, so that the default of 8 would hide what matters. */
const MAX_FINDINGS = 64;
/** Letters of a value that are repeated. */
const MAX_SHOWN = 64;
const NO_ADDRESS = 'the character U+0000 stands in no address: see /docs';

/**
 * Checks requests with TypeBox, whose findings are told apart more easily than coerced values: bodies are taken as they
 * are, query parameters are read by their schema first.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  System.Settings.Set({ maxErrors: MAX_FINDINGS });
  const validator = Compile(schema);
  const isQuery = httpPart === 'querystring';
  return (given: unknown) => {
    const value = isQuery ? readQuery(given, schema) : (given ?? emptyBody(schema));
    if (validator.Check(value)) {
      // Wherever it stands, it would come to PostgreSQL.
      const unstorable = findUnstorable(value);
      if (unstorable.length === 0) return { value };
      if (httpPart === 'params') return { error: new ApiError('route_not_found', NO_ADDRESS) };
      return { error: invalid(isQuery ? unstorable.map((issue) => inQuery(issue, value)) : unstorable) };
    }
    const issues = explain(validator.Errors(value), schema, '', value);
    if (isQuery) return { error: invalid(issues.map((issue) => inQuery(issue, value))) };
    const { title = '' } = schema as { title?: string };
    const reworded = issues.map((issue) => inBody(issue, value, title));
    return { error: invalid(reread(reworded, { title, value })) };
  };
};

function invalid(issues: InvalidInputError['issues']): ApiError {
  return new ApiError('invalid_request', describeIssues(issues), { issues });
}

function inQuery(issue: Issue, query: unknown): Issue {
  const [, step = '', index] = issue.pointer.split('/');
  const name = readStep(step);
  // As it was written: a parameter is repeated, and has no index.
  const pointer = `?${name}`;
  const given = index && (query as Readonly<Record<string, readonly unknown[]>>)[name]?.[Number(index)];
  if (typeof given !== 'string') return { ...issue, pointer };
  if (!given.includes(',')) return { ...issue, pointer, message: `${shown(given)} ${issue.message}` };
  const suggestion = given
    .split(',')
    .map((one) => `${name}=${one.trim()}`)
    .join('&');
  return { ...issue, pointer, suggestion, message: `is one value: repeat the parameter, ?${suggestion}` };
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, MAX_SHOWN));
}

function inBody(issue: Issue, value: unknown, title: string): Issue {
  const told = reword(issue, { title, value });
  return told === issue && issue.pointer === '' ? { ...issue, message: `the body ${issue.message}` } : told;
}

/** A body may be left out where nothing in it is required. */
function emptyBody(schema: TSchema): unknown {
  const { type, required = [] } = schema as { type?: unknown; required?: readonly string[] };
  return type === 'object' && required.length === 0 ? {} : null;
}

/** Query parameters are texts: reads numbers and lists where the schema has them. */
function readQuery(given: unknown, schema: TSchema): Record<string, unknown> {
  const properties = (schema as { properties?: Record<string, { type?: unknown }> }).properties ?? {};
  return Object.fromEntries(
    Object.entries((given ?? {}) as Record<string, unknown>).map(([name, value]) => {
      const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
      if (type === 'array') return [name, Array.isArray(value) ? value : [value]];
      if (type === 'integer' && typeof value === 'string' && /^-?\d{1,15}$/.test(value))
        return [name, Number(value)];
      return [name, value];
    }),
  );
}
