/** A header of answers, as OpenAPI describes it (§4.8.21 of 3.1). */
interface DescribedHeader {
  readonly description: string;
  /** It is there whenever an answer is described with it. */
  readonly required: boolean;
  readonly schema: object;
}

const text = { type: 'string' } as const;
const seconds = { type: 'integer', minimum: 0 } as const;

/** The headers of answers, by the names under which the description has them. */
export const ANSWER_HEADERS = {
  Location: {
    description: 'Where what was made is.',
    required: true,
    schema: { ...text, format: 'uri-reference' },
  },
  ETag: {
    description: 'The version: send it in `If-Match` to change only what was read.',
    required: true,
    schema: { ...text, pattern: '^"[0-9]+"$' },
  },
  'Set-Cookie': {
    description: 'The cookie of the session, or that it goes.',
    required: false,
    schema: text,
  },
  'Retry-After': {
    description: 'Seconds after which a repeat makes sense.',
    required: true,
    schema: seconds,
  },
  'Retry-After-Conflict': {
    description: 'Seconds after which a repeat makes sense, where the conflict may end by itself.',
    required: false,
    schema: seconds,
  },
  'Idempotent-Replayed': {
    description: 'The request was done and answered before: this is what was answered then.',
    required: false,
    schema: { ...text, enum: ['true'] },
  },
  'WWW-Authenticate': {
    description: 'How to say who asks (RFC 9110 §11.6.1).',
    required: true,
    schema: text,
  },
  RateLimit: {
    description:
      'How much is left, where more than half of a limit is used up (draft-ietf-httpapi-ratelimit-headers-10).',
    required: false,
    schema: text,
  },
  'RateLimit-Policy': {
    description: 'The limit that `RateLimit` is about.',
    required: false,
    schema: text,
  },
} as const satisfies Readonly<Record<string, DescribedHeader>>;

/** A header that only some operations answer with; a route names it where it describes the answer. */
export type AnswerHeader = 'Location' | 'ETag' | 'Set-Cookie';

/** These headers for the schema of an answer, until the description refers to them. */
export function answerHeaders(names: readonly AnswerHeader[]): object {
  return Object.fromEntries(names.map((name) => [name, ANSWER_HEADERS[name].schema]));
}

/** What is looked at here of an answer of the description. */
export interface DescribedAnswer {
  headers?: Record<string, object>;
}

/** With a key, what the handler has decided is answered again; what passes by itself is not. */
const KEPT = new Set(['400', '409', '413', '422']);

/**
 * Adds the headers that hold for every answer of a status, and refers to those that the route names.
 * @param params.isKept the operation is done once for each `Idempotency-Key`
 */
export function describeAnswer(
  answer: DescribedAnswer,
  { status, isKept }: { readonly status: string; readonly isKept: boolean },
): void {
  const isGood = status.startsWith('2');
  const named = Object.keys(answer.headers ?? {});
  const added = [
    ...(status === '401' ? ['WWW-Authenticate'] : []),
    ...(status === '429' || status === '503' ? ['Retry-After'] : []),
    ...(status === '409' ? ['Retry-After-Conflict'] : []),
    ...(isKept && (isGood || KEPT.has(status)) ? ['Idempotent-Replayed'] : []),
    ...(isGood || status === '429' ? ['RateLimit', 'RateLimit-Policy'] : []),
  ];
  const known = named.filter((name) => name in ANSWER_HEADERS);
  const refs = [...known, ...added].map((name) => [
    name.replace(/-Conflict$/, ''),
    { $ref: `#/components/headers/${name}` },
  ]);
  if (refs.length > 0) answer.headers = { ...answer.headers, ...Object.fromEntries(refs) };
}
