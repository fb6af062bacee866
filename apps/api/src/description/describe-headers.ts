import { JobCountsQuerySchema } from '@jetbeat/core/http';
import { MAX_REASON } from '../audit/audit-note.ts';
import { STREAM_TYPE } from '../live/stream-answer.ts';
import { ANSWER_HEADERS, type DescribedAnswer, describeAnswer } from './answer-headers.ts';

/** What is looked at here of a description. */
interface Described {
  components?: object;
  readonly paths?: Record<string, Record<string, Operation>>;
}
interface Operation {
  readonly 'x-jetbeat-role'?: string;
  readonly 'x-jetbeat-audited'?: boolean;
  parameters?: object[];
  readonly operationId?: string;
  responses?: Record<string, DescribedAnswer & { readonly content?: object }>;
  readonly requestBody?: object;
}

const KEY = {
  in: 'header',
  name: 'Idempotency-Key',
  required: false,
  schema: { type: 'string', pattern: '^[!-~]{1,255}$', maxLength: 255 },
  description:
    'Printable text, best a UUID. The same request with the same key is done once, and answered as before, for 24 hours.',
};
const REASON = {
  in: 'header',
  name: 'Jetbeat-Reason',
  required: false,
  schema: { type: 'string', pattern: '^[ -~]*$' },
  description: `Why, for the audit log: at most ${MAX_REASON} characters, what is not ASCII as percent-encoded UTF-8.`,
};
const LAST_EVENT_ID = {
  in: 'header',
  name: 'Last-Event-ID',
  required: false,
  schema: { type: 'string' },
  description: 'The `id` of the last event that was told, after a break: what came after it is told.',
};
/** Operations with the filters of the list of jobs. */
const WITH_META = new Set(['listJobs', 'countJobs']);
const { patternProperties } = JobCountsQuerySchema as { patternProperties?: object };
/** What is named by a pattern, of which the generator knows nothing. */
const META = {
  in: 'query',
  name: 'meta',
  required: false,
  style: 'form',
  explode: true,
  schema: { type: 'object', patternProperties, additionalProperties: false },
  description: 'Only jobs with these notes, each as `meta.<name>=<text>`.',
};
const UNREADABLE = {
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
};
const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** Describes the headers that hold for all calls of a kind, of which no route has to say anything, and what else the generator cannot. */
export function describeHeaders<Document extends object>(document: Document): Document {
  for (const [path, methods] of Object.entries((document as Described).paths ?? {})) {
    if (!path.startsWith('/api/')) continue;
    for (const [method, operation] of Object.entries(methods)) {
      if (method === 'get') describeRead(operation);
      else describe(method, operation);
      for (const [status, answer] of Object.entries(operation.responses ?? {}))
        describeAnswer(answer, { status, isKept: isKept(method, operation) });
    }
  }
  const described = document as Described;
  described.components = { ...described.components, headers: ANSWER_HEADERS };
  return document;
}

/** Whose key it would be is known of nobody who is not signed in yet. */
function isKept(method: string, operation: Operation): boolean {
  return method === 'post' && operation['x-jetbeat-role'] !== 'anyone';
}

function describeRead(operation: Operation): void {
  const { operationId = '', parameters = [], responses } = operation;
  const isStream = STREAM_TYPE in (responses?.['200']?.content ?? {});
  const more = [...(isStream ? [LAST_EVENT_ID] : []), ...(WITH_META.has(operationId) ? [META] : [])];
  if (more.length > 0) operation.parameters = [...parameters, ...more];
}

function describe(method: string, operation: Operation): void {
  const { parameters = [], responses = {}, requestBody } = operation;
  const isPost = isKept(method, operation);
  const reason = operation['x-jetbeat-audited'] === false ? [] : [REASON];
  operation.parameters = [...parameters, ...(isPost ? [KEY] : []), ...reason];
  const refused = {
    400: 'Bad Request',
    ...(isPost ? { 409: 'Conflict', 422: 'Unprocessable Entity' } : {}),
    // What is wrong with a body that is to be none is found before that.
    ...(requestBody === undefined ? UNREADABLE : {}),
  };
  const added = Object.entries(refused).map(([status, description]) => [
    status,
    { description, content: PROBLEM },
  ]);
  operation.responses = { ...Object.fromEntries(added), ...responses };
}
