import { type AuditAction, describeIssues } from '@jetbeat/core';
import type { AuditEntry, AuditNote, AuditOf } from '@jetbeat/postgres';
import type { FastifyRequest } from 'fastify';
import { callerAddress } from '../edges/caller-address.ts';
import { ApiError } from '../problems/problem.ts';
import { traceIdOf } from '../watching/trace.ts';

/** The header in which a caller says why. Text beyond ASCII is percent-encoded UTF-8 (RFC 3986 §2.1). */
export const REASON_HEADER = 'jetbeat-reason';
/** Longest reason, characters. */
export const MAX_REASON = 500;

/**
 * Who makes a request, from where, and why.
 * @param inBody the reason that the body gives; it goes before that of the header
 * @throws ApiError invalid_request for a reason that cannot be read
 */
export function auditNote(request: FastifyRequest, inBody?: string): AuditNote {
  const { kind, id, name, role } = request.caller;
  const header = readReason(request.headers[REASON_HEADER]);
  const reason = inBody ?? header;
  return {
    actor: { kind, id, name, role },
    address: callerAddress(request),
    ...(reason === undefined ? {} : { reason }),
    traceId: traceIdOf(request.id),
  };
}

/**
 * Makes the entry of one change.
 * @param show what of the thing is kept, before and after; data of callers and secrets are left out in any case
 */
export function auditOf<Thing>(
  request: FastifyRequest,
  action: AuditAction,
  target: AuditEntry['target'],
  show: (thing: Thing) => unknown,
): AuditOf<Thing> {
  const note = auditNote(request);
  return (before, after) => ({
    note,
    action,
    target,
    ...(before === undefined ? {} : { before: show(before) }),
    ...(after === undefined ? {} : { after: show(after) }),
  });
}

/** Neither lines nor colours of a terminal get into a log by it. */
const CONTROL = /\p{Cc}/u;
const ASCII = /^[\x20-\x7e]*$/;

/**
 * Reads why something is done: refused also where nothing comes of it, for it says so of every call.
 * @throws ApiError invalid_request
 */
export function readReason(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const text = typeof header === 'string' && ASCII.test(header) ? decode(header) : undefined;
  if (text !== undefined && [...text].length <= MAX_REASON && !CONTROL.test(text))
    return text.trim() || undefined;
  const message = `at most ${MAX_REASON} characters on one line; what is not ASCII, and "%", is percent-encoded UTF-8`;
  const issues = [{ pointer: REASON_HEADER, code: 'invalid_value', message }];
  throw new ApiError('invalid_request', describeIssues(issues), { issues });
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
