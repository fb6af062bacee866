import { type Issue, optionIssues, readPolicy, readUnique } from '@jetbeat/core';

/** Where a body says how a job is run. */
const PLACES: Readonly<Record<string, readonly string[]>> = { JobRequest: [], ScheduleRequest: ['job'] };
const OPTIONS = ['delay', 'queue', 'priority', 'meta'] as const;
const POLICY = ['retry', 'timeout', 'onSuccess', 'onFailure', 'concurrencyKey'] as const;
const UNIQUE = ['uniqueKey', 'throttle', 'debounce', 'keepLast'] as const;
const FIELDS: ReadonlySet<string> = new Set([...OPTIONS, ...POLICY, ...UNIQUE, 'expires']);

type Fields = Readonly<Record<string, unknown>>;

/**
 * Says of the options of a job what a program is told of the same mistake: what its schema found there is replaced by what
 * the reader finds that programs use, so that a mistake has one code and one place. What only the schema finds stays.
 */
export function reread(
  issues: readonly Issue[],
  body: { readonly title: string; readonly value: unknown },
): readonly Issue[] {
  const steps = PLACES[body.title];
  const job = steps?.reduce<unknown>((at, step) => fieldsOf(at)?.[step], body.value);
  const fields = fieldsOf(job);
  if (!steps || !fields) return issues;
  const place = steps.map((step) => `/${step}`).join('');
  const read = readAgain(fields).map((issue) => ({ ...issue, pointer: place + issue.pointer }));
  const found = new Set(read.map(({ pointer }) => optionOf(pointer, place)));
  const kept = issues.filter(({ pointer }) => {
    const option = optionOf(pointer, place);
    return option === undefined || !found.has(option);
  });
  return [...kept, ...read];
}

function readAgain(fields: Fields): Issue[] {
  const { expires } = fields;
  const options = {
    ...pick(fields, OPTIONS),
    // Over HTTP a text may be a time as well.
    ...(typeof expires === 'string' ? {} : { expires }),
  };
  const issues = optionIssues(options);
  readUnique(fields, issues);
  return [...issues, ...readPolicy(pick(fields, POLICY)).issues];
}

/** The option that a place is in. */
function optionOf(pointer: string, place: string): string | undefined {
  if (!pointer.startsWith(`${place}/`)) return undefined;
  const [option = ''] = pointer.slice(place.length + 1).split('/');
  return FIELDS.has(option) ? option : undefined;
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(
    names.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])),
  );
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
