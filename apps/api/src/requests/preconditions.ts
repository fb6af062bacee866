import { describeIssues } from '@jetbeat/core';
import Type, { type TObject } from 'typebox';
import { ApiError } from '../problems/problem.ts';

/** The headers of a request that says what it has read. */
export interface IfMatch {
  'if-match'?: string;
}
/** The headers of a request that says so, or that it makes what there is not yet. */
export interface Conditions extends IfMatch {
  'if-none-match'?: string;
}

/** Longest list of tags, characters. */
const MOST = 1_024;

/** The header with which a request says which version of a thing it has read. @param what e.g. `the queue` */
export function ifMatchOf(what: string): TObject {
  return Type.Object({ 'if-match': tagsRead(what) });
}

/** The same, and the header with which it says that there is none yet. */
export function conditionsOf(what: string): TObject {
  return Type.Object({
    'if-match': tagsRead(what),
    'if-none-match': Type.Optional(
      Type.String({
        maxLength: MOST,
        description: `\`*\`: nothing is done if ${what} is there already.`,
        examples: ['*'],
      }),
    ),
  });
}

function tagsRead(what: string) {
  return Type.Optional(
    Type.String({
      maxLength: MOST,
      description: `The \`ETag\` of ${what} as it was read: nothing is done if somebody else has changed it since.`,
      examples: ['"3"'],
    }),
  );
}

/**
 * Whether a request is only to make what is not there.
 * @throws ApiError invalid_request for tags: of one thing there is one version, and whoever knows it sends `If-Match`
 */
export function onlyIfNone(header: string | undefined): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  const message =
    'it is "*" here, for what is not there yet; to change the version that was read send If-Match';
  const issues = [{ pointer: 'if-none-match', code: 'invalid_value', message }];
  throw new ApiError('invalid_request', describeIssues(issues), { issues });
}

/** The error for what is there already (RFC 9110 §13.1.2): also where it is as the request would make it. */
export function alreadyThere(what: string): ApiError {
  return new ApiError(
    'already_there',
    `${what} is there already, and If-None-Match: * says that it is not: nothing was changed`,
  );
}
