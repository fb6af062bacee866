import { isUuid, JOB_STATES, type JobState, type SearchTerm, type TextPattern, uuidV7 } from '@jetbeat/core';

/** Which jobs: all that is said must hold. */
export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly task?: string;
  readonly queue?: string;
  /** Of these queues alone: what the caller may see. */
  readonly queues?: readonly string[];
  /** The schedule's name. */
  readonly schedule?: string;
  /** Unix milliseconds, by the time that an id begins with: at this time or later. */
  readonly from?: number;
  /** Unix milliseconds: before this time. */
  readonly to?: number;
  /** Code of the reason. */
  readonly reason?: string;
  /** Notes that it has. */
  readonly meta?: Readonly<Record<string, string>>;
  /** Without those whose dead letter was thrown away. */
  readonly kept?: boolean;
  /** What else is searched for (core `parseSearch`). */
  readonly terms?: readonly SearchTerm[];
}

/** When it is asked, Unix milliseconds: the newest jobs are looked at first. */
export interface AskedAt {
  readonly now?: number | undefined;
}

/** Binds a value and gives its name in SQL. */
export type Bind = (value: unknown) => string;

/** An index that can lead: what it begins with, and the values that are wanted of it. */
export interface Lead {
  readonly column: 'state' | 'task' | 'queue' | 'schedule_name' | 'id';
  readonly values: readonly string[];
}

/** A filter, taken apart: by which index jobs can be walked through, newest first, and what must be looked at of each one then. */
export interface JobConditions {
  /** No job can fit. */
  readonly none: boolean;
  readonly leads: readonly Lead[];
  /** Ids from here on, and below. */
  readonly from?: string;
  readonly to?: string;
  /** What no index tells, of the table alias `j`. */
  readonly rest: readonly ((bind: Bind) => string)[];
}

/** Makes the least id of a time. */
const NO_BYTES = new Uint8Array(10);
/** What went well has neither an error nor a reason, and is most of history. */
const NOT_WELL = JOB_STATES.filter((state) => state !== 'succeeded');

/** Takes a filter apart. */
export function conditionsOf(filter: JobFilter): JobConditions {
  const { states, task, queue, queues, schedule, from, to, reason, meta = {}, kept, terms = [] } = filter;
  const leads = new Map<Lead['column'], readonly string[]>();
  const rest: ((bind: Bind) => string)[] = [];
  const lead = (column: Lead['column'], values: readonly string[] | undefined) => {
    if (values === undefined) return;
    const before = leads.get(column);
    const distinct = [...new Set(values)];
    leads.set(column, before ? before.filter((value) => distinct.includes(value)) : distinct);
  };
  const isReason = (code: string) => {
    lead('state', NOT_WELL);
    rest.push((bind) => `j.reason->>'code' = ${bind(code)}`);
  };
  lead('state', states);
  lead('task', one(task));
  lead('queue', one(queue));
  lead('queue', queues);
  lead('schedule_name', one(schedule));
  if (reason !== undefined) isReason(reason);
  for (const [name, text] of Object.entries(meta))
    rest.push((bind) => `j.meta->>${bind(name)}::text = ${bind(text)}`);
  if (kept) rest.push(() => 'j.discarded_at is null');
  for (const term of terms) addTerm(term, lead, rest);
  return {
    none: [...leads.values()].some((values) => values.length === 0),
    leads: [...leads].map(([column, values]) => ({ column, values })),
    ...(from === undefined ? {} : { from: uuidV7(from, NO_BYTES) }),
    ...(to === undefined ? {} : { to: uuidV7(to, NO_BYTES) }),
    rest,
  };
}

function one(value: string | undefined): string[] | undefined {
  return value === undefined ? undefined : [value];
}

const COLUMNS = { task: 'task', queue: 'queue', schedule: 'schedule_name' } as const;

function addTerm(
  term: SearchTerm,
  lead: (column: Lead['column'], values: readonly string[]) => void,
  rest: ((bind: Bind) => string)[],
): void {
  switch (term.on) {
    case 'state':
      lead('state', term.values);
      break;
    case 'id':
      lead('id', term.values.filter(isUuid));
      break;
    case 'task':
    case 'queue':
    case 'schedule': {
      const { values } = term;
      const column = COLUMNS[term.on];
      if (values.every(isExact)) lead(column, values.map(wholeOf));
      else rest.push((bind) => textFits(`j.${column}`, values, bind));
      break;
    }
    case 'reason':
      lead('state', NOT_WELL);
      rest.push((bind) => textFits(`j.reason->>'code'`, term.values, bind));
      break;
    case 'by': {
      const is = (field: string, bind: Bind) => textFits(`j.requested_by->>'${field}'`, term.values, bind);
      rest.push((bind) => `(${is('id', bind)} or ${is('name', bind)})`);
      break;
    }
    case 'worker':
      rest.push((bind) => begunBy(term.values, bind));
      break;
    case 'error':
      lead('state', NOT_WELL);
      rest.push((bind) => inError(term.values, bind));
      break;
    case 'input':
      rest.push((bind) => inInput(term, bind));
      break;
    case 'meta':
      rest.push((bind) => textFits(`j.meta->>${bind(term.name)}::text`, term.values, bind));
      break;
    case 'word':
      rest.push((bind) => isWord(term.value, bind));
  }
}

/** Of each job its own attempts are asked: never all that there are. */
function begunBy(values: readonly TextPattern[], bind: Bind): string {
  const is = textFits('a.worker_id', values, bind);
  return `coalesce((select true from attempt a where a.job_id = j.id and ${is} limit 1), false)`;
}

function inError(values: readonly TextPattern[], bind: Bind): string {
  const patterns = bind(values.map((parts) => like(['', ...parts, ''])));
  const fits = (field: string) => `j.error->>'${field}' ilike any(${patterns}::text[])`;
  return `(${['name', 'code', 'message'].map(fits).join(' or ')})`;
}

function inInput({ path, values }: Extract<SearchTerm, { on: 'input' }>, bind: Bind): string {
  const place = `${bind(path)}::text[]`;
  const fits = textFits(`j.input #>> ${place}`, values, bind);
  // Of a null there is no text.
  const asksNull = values.some((value) => isExact(value) && value[0] === 'null');
  return asksNull ? `(${fits} or j.input #> ${place} = 'null'::jsonb)` : fits;
}

function isWord(value: TextPattern, bind: Bind): string {
  const inTask = `j.task ilike ${bind(like(['', ...value, '']))}`;
  const begin = value[0]?.toLowerCase() ?? '';
  if (!isExact(value) || !/^[0-9a-f-]{1,36}$/.test(begin)) return inTask;
  return `(${inTask} or j.id::text like ${bind(like([begin, '']))})`;
}

function isExact(pattern: TextPattern): boolean {
  return pattern.length === 1;
}

function wholeOf(pattern: TextPattern): string {
  return pattern.join('*');
}

/** SQL for a text that is one of these. */
function textFits(text: string, values: readonly TextPattern[], bind: Bind): string {
  const whole = values.filter(isExact).map(wholeOf);
  const others = values.filter((value) => !isExact(value)).map(like);
  const ways = [
    ...(whole.length > 0 ? [`${text} = any(${bind(whole)}::text[])`] : []),
    ...(others.length > 0 ? [`${text} like any(${bind(others)}::text[])`] : []),
  ];
  return ways.length === 1 ? (ways[0] ?? 'false') : `(${ways.join(' or ')})`;
}

/** A pattern of `like`, in which nothing that a user wrote has a meaning. */
function like(pattern: TextPattern): string {
  return pattern.map((part) => part.replace(/[\\%_]/g, '\\$&')).join('%');
}
