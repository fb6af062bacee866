import { describeIssues, InvalidInputError, type Issue } from '../errors.ts';
import { isUuid } from '../ids.ts';
import { META_PATTERN } from '../jobs/call-options.ts';
import { JOB_STATES, type JobState } from '../jobs/job-state.ts';
import { meantOf, nearest } from '../unknown-fields.ts';
import { operatorIn } from './search-operators.ts';
import { type SearchToken, type SearchValue, splitSearch } from './split-search.ts';

/** A text with what may stand between its parts: `['send.', '']` is `send.*`; one part alone is the whole text. */
export type TextPattern = readonly string[];

/** One thing that a search asks for: any of the values will do. All terms of a search must hold. */
export type SearchTerm =
  | { readonly on: 'state'; readonly values: readonly JobState[] }
  | { readonly on: 'id'; readonly values: readonly string[] }
  | { readonly on: 'task' | 'queue' | 'schedule' | 'reason'; readonly values: readonly TextPattern[] }
  /** Id or name of who asked for it at the API. */
  | { readonly on: 'by'; readonly values: readonly TextPattern[] }
  /** Id of a worker that began it, be it that another one ended it. */
  | { readonly on: 'worker'; readonly values: readonly TextPattern[] }
  /** In its name, code or message, anywhere and in any case. */
  | { readonly on: 'error'; readonly values: readonly TextPattern[] }
  /** The text of what stands at a path; an index of a list is a step too. */
  | { readonly on: 'input'; readonly path: readonly string[]; readonly values: readonly TextPattern[] }
  | { readonly on: 'meta'; readonly name: string; readonly values: readonly TextPattern[] }
  /** A part of the task's name, in any case, or the begin of an id. */
  | { readonly on: 'word'; readonly value: TextPattern };

/** The longest search, characters. */
export const MAX_SEARCH = 512;
const MAX_TERMS = 16;
const MAX_VALUES = 16;
const MAX_STEPS = 16;
/** More of them in one text cost more than they find. */
const MAX_STARS = 4;

const SIMPLE = ['state', 'queue', 'task', 'schedule', 'id', 'error', 'reason', 'by', 'worker'] as const;
type Simple = (typeof SIMPLE)[number];
/** What a search can ask for, as it is told. */
const KNOWN = [...SIMPLE, 'input.<path>', 'meta.<name>'];
const META_NAME = new RegExp(META_PATTERN);

/**
 * Reads a search: terms apart by spaces, `qualifier:value` or a word. Values that commas part are alternatives, and so are the same
 * qualifiers repeated; `*` stands for any characters; in double quotes everything is meant as it stands.
 * @param pointer where the search stands in the request
 * @throws InvalidInputError naming every wrong place
 */
export function parseSearch(text: string, pointer = '?search'): SearchTerm[] {
  const issues: Issue[] = [];
  const wrong: Wrong = (message, more = {}) => {
    if (issues.some((issue) => issue.message === message)) return;
    issues.push({ pointer, code: 'invalid_value', message, ...more });
  };
  if (text.length > MAX_SEARCH) wrong(`a search has at most ${MAX_SEARCH} characters`);
  const tokens = text.length > MAX_SEARCH ? [] : splitSearch(text, wrong);
  if (tokens.length > MAX_TERMS) wrong(`a search has at most ${MAX_TERMS} terms`);
  const terms = tokens.slice(0, MAX_TERMS).flatMap((token) => termOf(token, wrong) ?? []);
  if (issues.length > 0) throw new InvalidInputError(describeIssues(issues), issues);
  return joined(terms);
}

type Wrong = (message: string, more?: Partial<Pick<Issue, 'code' | 'suggestion'>>) => void;

function termOf(token: SearchToken, wrong: Wrong): SearchTerm | undefined {
  const operator = operatorIn(token.raw, !token.head);
  if (operator) {
    const { message, suggestion, isAll } = operator;
    wrong(message, { code: 'unknown_operator', ...(suggestion === undefined ? {} : { suggestion }) });
    if (isAll) return undefined;
  }
  const values = token.head ? token.values : [token.word];
  for (const value of values) {
    if (value.parts.length - 1 > MAX_STARS) wrong(`${shown(value)} has more than ${MAX_STARS} "*"`);
  }
  if (values.length > MAX_VALUES) wrong(`a term has at most ${MAX_VALUES} values`);
  if (!token.head) return wordOf(token.word);
  const { head } = token;
  const [name, ...path] = head;
  if (name === 'input') return inputTerm(path, values, wrong);
  if (name === 'meta') return metaTerm(path, values, wrong);
  if (!isSimple(name) || path.length > 0) {
    unknown(head, wrong);
    return undefined;
  }
  if (name === 'state') return stateTerm(values, wrong);
  if (name === 'id') return idTerm(values, wrong);
  return { on: name, values: values.map(({ parts }) => parts) };
}

function isSimple(name: string): name is Simple {
  return (SIMPLE as readonly string[]).includes(name);
}

function unknown(head: readonly [string, ...string[]], wrong: Wrong): void {
  const name = head.join('.').slice(0, 64);
  const meant = nearest(head[0], [...SIMPLE, 'input', 'meta']);
  const suggestion = meant === 'input' || meant === 'meta' ? [meant, ...head.slice(1)].join('.') : meant;
  const hint = suggestion === undefined ? '' : `, did you mean "${suggestion}:"?`;
  const quoted = 'a word with a colon in it is put in double quotes';
  wrong(`"${name}:" is no qualifier of a search${hint}; known are ${KNOWN.join(', ')}; ${quoted}`, {
    code: 'unknown_qualifier',
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

function wordOf({ parts }: SearchValue): SearchTerm {
  const id = parts.length === 1 ? parts[0].toLowerCase() : '';
  return isUuid(id) ? { on: 'id', values: [id] } : { on: 'word', value: parts };
}

function stateTerm(values: readonly SearchValue[], wrong: Wrong): SearchTerm {
  const states = values.flatMap((value): JobState[] => {
    const text = shown(value);
    const state = JOB_STATES.find((known) => known === text);
    if (state) return [state];
    const suggestion = meantOf(text, JOB_STATES);
    const hint = suggestion === undefined ? '' : `, did you mean "${suggestion}"?`;
    wrong(
      `"${text}" is no state${hint}; states are ${JOB_STATES.join(', ')}`,
      suggestion === undefined ? {} : { suggestion },
    );
    return [];
  });
  return { on: 'state', values: states };
}

function idTerm(values: readonly SearchValue[], wrong: Wrong): SearchTerm {
  const ids = values.flatMap((value): string[] => {
    const id = shown(value).toLowerCase();
    if (isUuid(id)) return [id];
    wrong(`"${shown(value)}" is no id, which is a UUID; for the begin of one leave "id:" out`);
    return [];
  });
  return { on: 'id', values: ids };
}

function inputTerm(
  path: readonly string[],
  values: readonly SearchValue[],
  wrong: Wrong,
): SearchTerm | undefined {
  if (path.length === 0 || path.includes('')) {
    wrong('name a place in the input, e.g. input.user.id:42');
    return undefined;
  }
  if (path.length > MAX_STEPS) wrong(`a path has at most ${MAX_STEPS} steps`);
  return { on: 'input', path, values: values.map(({ parts }) => parts) };
}

/** A note's name may have dots in it. */
function metaTerm(
  path: readonly string[],
  values: readonly SearchValue[],
  wrong: Wrong,
): SearchTerm | undefined {
  const name = path.join('.');
  if (META_NAME.test(name)) return { on: 'meta', name, values: values.map(({ parts }) => parts) };
  wrong('name a note, 1 to 64 of A-Z a-z 0-9 _ . -, e.g. meta.tenant:acme');
  return undefined;
}

/** No job has two states, tasks or ids: the same qualifier again gives alternatives. Workers and errors it has had several of. */
function joined(terms: readonly SearchTerm[]): SearchTerm[] {
  const known = new Map<string, SearchTerm>();
  for (const [index, term] of terms.entries()) {
    const key = isAlternative(term) ? term.on : String(index);
    const before = known.get(key);
    const values = [before, term].flatMap((one): unknown[] =>
      one && 'values' in one ? [...one.values] : [],
    );
    known.set(key, before ? ({ ...before, values } as SearchTerm) : term);
  }
  return [...known.values()];
}

function isAlternative({ on }: SearchTerm): boolean {
  return on !== 'word' && on !== 'input' && on !== 'meta' && on !== 'error' && on !== 'worker';
}

function shown({ parts }: SearchValue): string {
  return parts.join('*').slice(0, 64);
}
