import { DURATION_PATTERN, type Issue, meantOf } from '@jetbeat/core';
import { ScheduleRequestSchema } from '@jetbeat/core/http';

/** Fields of the interface that are not built yet, by the title of the body and the place in it. */
const UNBUILT: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  ScheduleRequest: { '': ['objective', 'maxSilence'] },
};
/** Fields of a schedule that are only told, by what sets them. */
const TOLD: ReadonlyMap<string, string> = new Map([
  ['version', 'the header If-Match'],
  ['paused', '/pause and /resume'],
  ['state', ''],
  ['problem', ''],
  ['finished', ''],
  ['nextTimes', ''],
  ['lastOccurrence', ''],
  ['createdAt', ''],
  ['updatedAt', ''],
  ['warnings', ''],
]);

/** What other systems call it that a schedule is paused, or not. */
const PAUSING = ['enabled', 'disabled', 'active', 'suspend'];

/** What other systems call it that something is done once, at a time. */
const ONCE = ['eta', 'countdown'];

/** How a text in the place of a rule is told to be one. */
const RULES: readonly (readonly [kind: string, form: RegExp])[] = [
  ['every', new RegExp(DURATION_PATTERN)],
  ['at', /^\d{4}-\d\d-\d\dT\S+$/],
  ['cron', /^(\S{1,64}([ \t]+\S{1,64}){4,5}|@[a-z]{1,16})$/i],
  ['rrule', /^(RRULE:)?FREQ=/i],
];
/** What is longer is not repeated, characters. */
const MAX_RULE = 512;
/** The bodies that have a `when`. */
const WITH_RULES = ['ScheduleRequest', 'PreviewRequest'];
/** What is done elsewhere with a bound of none, by the title of the body and the place in it. */
const NONE: Readonly<Record<string, string>> = {
  'QueueRequest/concurrency': 'to begin no job, pause the queue (POST /api/v1/queues/{name}/pause)',
  'ConcurrencyRequest/value': 'to begin no job, drain the worker (POST /api/v1/workers/{id}/drain)',
};
/** What a schedule says of its jobs. */
const OF_JOB = Object.keys(ScheduleRequestSchema.properties.job.properties);
const WHICH = 'say which sessions with one of {"others": true}, {"key": "…"} or {"subject": "…"}';
const A_CRON = '{"cron": "0 9 * * *"}';
const A_TIME = '{"at": "2026-05-04T03:00:00Z"}';
const EXAMPLES = `${A_CRON}, {"every": "10s"} or ${A_TIME}`;

/** Says of a finding what its schema alone cannot: that a field is still to come, or which rule a text was meant to be. */
export function reword(issue: Issue, body: { readonly title: string; readonly value: unknown }): Issue {
  const { title, value } = body;
  const { pointer, code } = issue;
  if (code === 'unknown_field') return rewordField(issue, body);
  const none = code === 'invalid_value' && NONE[`${title}${pointer}`];
  if (none && fieldAt(value, pointer) === 0) return { ...issue, message: `${issue.message}: ${none}` };
  if (title === 'EndSessions' && isAboutWhich(issue, value)) return { ...issue, message: WHICH };
  const rule = /^\/when(?:\/(\d+))?$/.exec(pointer);
  if (!WITH_RULES.includes(title) || code !== 'invalid_type' || !rule) return issue;
  return aboutRule(issue, ruleAt(value, rule[1]));
}

/** The same of a field that is not known. */
function rewordField(issue: Issue, body: { readonly title: string; readonly value: unknown }): Issue {
  const { title, value } = body;
  const { pointer, code } = issue;
  const cut = pointer.lastIndexOf('/');
  const field = pointer.slice(cut + 1);
  const place = pointer.slice(0, cut).replace(/\/\d+$/, '');
  const by = title === 'ScheduleRequest' && place === '' ? TOLD.get(field) : undefined;
  if (by !== undefined) {
    const instead = by === '' ? 'leave it out' : `leave it out, and use ${by}`;
    return { pointer, code, message: `"${field}" is told, and cannot be set: ${instead}` };
  }
  if (title === 'ScheduleRequest' && place === '' && PAUSING.includes(field))
    return { pointer, code, message: `"${field}" is not known here: use /pause and /resume` };
  const moved = title === 'ScheduleRequest' && place === '' && movedField(issue, field, value);
  if (moved) return moved;
  if (!UNBUILT[title]?.[place]?.includes(field)) return issue;
  return { pointer, code, message: `"${field}" is not built yet: leave it out` };
}

/** Of a schedule that says the rule or the job as other systems do, beside its name: where that stands here. */
function movedField(issue: Issue, field: string, body: unknown): Issue | undefined {
  const { pointer, code, suggestion } = issue;
  const written = (body as Readonly<Record<string, unknown>>)[field];
  if (suggestion === 'when' && typeof written !== 'object') {
    const rule = ONCE.includes(field) ? onceMeant(written) : (ruleMeant(secondsAsText(written)) ?? A_CRON);
    const message = `"${field}" is not known here, did you mean "when": ${rule}?`;
    return { pointer, code, message, suggestion };
  }
  const name = suggestion === 'job' ? field : OF_JOB.find((one) => one === meantOf(field, OF_JOB));
  if (name === undefined || (suggestion !== undefined && suggestion !== 'job')) return undefined;
  const message = `"${field}" is said of the job, did you mean "job": {"${name}": …}?`;
  return { pointer, code, message, suggestion: 'job' };
}

/** Of a body that says which sessions, and says none or several, or `others` as if it could be off. */
function isAboutWhich({ pointer }: Issue, value: unknown): boolean {
  return pointer === '/others' || (pointer === '' && typeof value === 'object' && value !== null);
}

function aboutRule(issue: Issue, written: unknown): Issue {
  const suggestion = ruleMeant(written);
  if (suggestion === undefined)
    return { ...issue, message: `must be a rule such as ${EXAMPLES}, or a list of them` };
  return { ...issue, message: `must be a rule: did you mean ${suggestion}?`, suggestion };
}

/** The rule that a text was probably meant to be. */
function ruleMeant(written: unknown): string | undefined {
  if (typeof written !== 'string' || written.length > MAX_RULE) return undefined;
  const kind = RULES.find(([, form]) => form.test(written.trim()))?.[0];
  return kind === undefined ? undefined : `{"${kind}": ${JSON.stringify(written)}}`;
}

/** The rule of one time: as it is written, where that is a time; what is so many seconds from now has no other form here. */
function onceMeant(written: unknown): string {
  const rule = ruleMeant(written);
  return rule?.startsWith('{"at"') ? rule : A_TIME;
}

function secondsAsText(written: unknown): unknown {
  return typeof written === 'number' ? `${written}s` : written;
}

function fieldAt(body: unknown, pointer: string): unknown {
  return (body as Readonly<Record<string, unknown>> | null)?.[pointer.slice(1)];
}

function ruleAt(body: unknown, index: string | undefined): unknown {
  const { when } = body as { readonly when?: unknown };
  return Array.isArray(when) ? when[Number(index)] : when;
}
