import Type, { type Static, type TProperties, type TSchema } from 'typebox';
import { DURATION_PATTERN } from '../duration.ts';
import { UUID_PATTERN } from '../ids.ts';
import { MAX_META, MAX_META_TEXT, META_PATTERN } from '../jobs/call-options.ts';
import { PRIORITIES } from '../jobs/envelope.ts';
import { QUEUE_PATTERN, SCHEDULE_PATTERN, TASK_PATTERN } from '../names.ts';

/** An object that refuses unknown fields. */
export const CLOSED = { additionalProperties: false } as const;

/** RFC 3339 with seconds and an offset. */
const TIME_PATTERN =
  '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)$';

const TIME_FORM = 'RFC 3339: date, `T`, time with seconds, `Z` or an offset.';
const DURATION_FORM = 'One number and one unit of ms, s, m, h, d.';

/** A time as a request gives it. */
export const TimeInput = Type.String({
  pattern: TIME_PATTERN,
  maxLength: 40,
  description: TIME_FORM,
  examples: ['2026-05-04T03:00:00Z'],
});
/** A time as a request gives it, and what it is for. */
export function TimeFor(meaning: string) {
  return Type.String({ ...TimeInput, description: `${TIME_FORM} ${meaning}` });
}
/** A time as an answer gives it: UTC with milliseconds. */
export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' });
/** A duration as text. */
export const Duration = Type.String({
  pattern: DURATION_PATTERN,
  description: DURATION_FORM,
  examples: ['90s'],
});
/** A duration as text, and what it is for. */
export function DurationFor(meaning: string) {
  return Type.String({ ...Duration, description: `${DURATION_FORM} ${meaning}` });
}
/** The name of a task. */
export const TaskName = Type.String({
  pattern: TASK_PATTERN,
  description: 'Tokens of A-Z a-z 0-9 _ - (at most 64 each) joined by dots, at most 128 in all.',
  examples: ['report.send'],
});
/** The name of a queue. */
export const QueueName = Type.String({
  pattern: QUEUE_PATTERN,
  description: 'One token of A-Z a-z 0-9 _ - (at most 64).',
  examples: ['default'],
});
/** The name of a schedule. */
export const ScheduleName = Type.String({
  pattern: SCHEDULE_PATTERN,
  description: 'Tokens of A-Z a-z 0-9 _ - (at most 64 each) joined by dots or slashes, at most 128 in all.',
  examples: ['report.nightly'],
});
/** A lane of a queue. */
export const PriorityName = Type.Enum(PRIORITIES);
/** The id of a job. */
export const JobId = Type.String({ pattern: UUID_PATTERN });
/** Notes on a job that are searched, not run. */
export const Meta = Type.Record(
  Type.String({ pattern: META_PATTERN }),
  Type.String({ maxLength: MAX_META_TEXT }),
  {
    ...CLOSED,
    maxProperties: MAX_META,
    description: 'Up to 64 texts by name; a name is 1 to 64 of A-Z a-z 0-9 _ . -',
  },
);
/** Any JSON value. */
export const AnyJson = Type.Unknown({ description: 'Any JSON value.' });

/** The value, or null where there is none. */
export function OrNull<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()]);
}

/** How many there are. */
export const TotalSchema = Type.Object(
  {
    value: Type.Integer({ minimum: 0 }),
    capped: Type.Boolean({ description: 'There are more, or may be: nobody has counted further.' }),
  },
  CLOSED,
);
/** How many there are. */
export type Total = Static<typeof TotalSchema>;

/** A page of a list. `more`: what else it tells. */
export function PageOf<Item extends TSchema, More extends TProperties = Record<never, never>>(
  item: Item,
  more?: More,
) {
  return Type.Object(
    {
      ...(more ?? ({} as More)),
      items: Type.Array(item),
      nextCursor: OrNull(
        Type.String({
          description:
            'Give it as `cursor`, with the same filters, to get the next page; null: this is the last one.',
        }),
      ),
      total: Type.Optional(
        Type.Object(TotalSchema.properties, {
          ...CLOSED,
          description:
            'How many fit in all, counted up to 10,000. Only on the first page, and only where that can be told cheaply.',
        }),
      ),
    },
    CLOSED,
  );
}

/** Items on a page where nothing is said. */
export const PAGE_SIZE = 50;

/** What of an answer is left out for a caller that may not see what jobs are about. */
export const Hidden = Type.Optional(
  Type.Array(
    Type.Enum(['concurrencyKey', 'input', 'message', 'meta', 'result', 'stack', 'webhook'] as const),
    {
      description:
        'Only for callers that may not see inputs and results: which fields of this are not as they are. `input` is null, `meta` is empty, `result` and `stack` are left out, and so is a concurrency key that the task has made of the input, also in `reason`.',
    },
  ),
);

/** How much of a list is asked for. */
export const PAGE_QUERY = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 200, default: PAGE_SIZE, description: 'Items on a page.' }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1_024, description: '`nextCursor` of the page before.' }),
  ),
};
