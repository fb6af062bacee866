import { MAX_REASON } from '../audit/audit-note.ts';

/** What is looked at here of a description. */
interface Described {
  readonly paths?: Record<string, Record<string, Operation>>;
}
interface Operation {
  readonly 'x-jetbeat-role'?: string;
  readonly 'x-jetbeat-audited'?: boolean;
  parameters?: object[];
  responses?: Record<string, object>;
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
const UNREADABLE = {
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
};
const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** Describes the headers that hold for all calls of a kind, of which no route has to say anything. */
export function describeHeaders<Document extends object>(document: Document): Document {
  for (const [path, methods] of Object.entries((document as Described).paths ?? {})) {
    if (!path.startsWith('/api/')) continue;
    for (const [method, operation] of Object.entries(methods))
      if (method !== 'get') describe(method, operation);
  }
  return document;
}

function describe(method: string, operation: Operation): void {
  const { parameters = [], responses = {}, requestBody } = operation;
  // Whose key it would be is known of nobody who is not signed in yet.
  const isPost = method === 'post' && operation['x-jetbeat-role'] !== 'anyone';
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
