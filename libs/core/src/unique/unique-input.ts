import type { Issue } from '../errors.ts';
import { fieldsOf, readDuration } from '../read-fields.ts';
import { isUniqueKey, MAX_UNIQUE_KEY, UNIQUE_SCOPES, type UniqueAsk, type UniqueScope } from './unique.ts';

/** A key as people write it; a text alone is held until the job is over. */
export type UniqueKeyInput =
  | string
  | {
      /** 1 to 256 characters. */
      readonly key: string;
      /** Until when the key is held; not together with `for`. */
      readonly while?: 'unfinished' | 'queued';
      /** A duration: the key is held for so long from this call on, whatever becomes of the job. */
      readonly for?: string;
      /** Default `task`. */
      readonly scope?: UniqueScope;
      /** Default `existing`. Not together with `for`. */
      readonly onConflict?: 'existing' | 'replace';
    };

/** The first call of a period wins, the others are answered with its job. */
export interface ThrottleInput {
  /** 1 to 256 characters. Not the same key as a `uniqueKey` of this text. */
  readonly key: string;
  /** A duration. */
  readonly period: string;
  /** Default `task`. */
  readonly scope?: UniqueScope;
}

/** A call waits for the next one, which takes its place: the last of a flurry of calls runs, with its input. */
export interface DebounceInput {
  /** 1 to 256 characters. Not the same key as a `uniqueKey` of this text. */
  readonly key: string;
  /** A duration: how long to wait for the next call. */
  readonly delay: string;
  /** A duration: the longest that calls may put the job off, from the first of them on. Without it there is no bound. */
  readonly maxWait?: string;
  /** Default `task`. */
  readonly scope?: UniqueScope;
}

/** The options of a call that make it unique. */
export interface UniqueOptions {
  /** One job at a time has this key. */
  readonly uniqueKey?: UniqueKeyInput;
  readonly throttle?: ThrottleInput;
  /** Not together with `delay` and `runAt`. */
  readonly debounce?: DebounceInput;
  /** A key, among the jobs of the task: one of them runs at a time, and at most one waits, that of the last call. */
  readonly keepLast?: string;
}

/** The fields of `UniqueOptions`. */
export const UNIQUE_FIELDS = [
  'uniqueKey',
  'throttle',
  'debounce',
  'keepLast',
] as const satisfies (keyof UniqueOptions)[];

/** Reads what a call says of uniqueness; every wrong place is named. Undefined where it says nothing. */
export function readUnique(options: object, issues: Issue[], pointer = ''): UniqueAsk | undefined {
  const said = options as Readonly<Record<string, unknown>>;
  const [field, other] = UNIQUE_FIELDS.filter((name) => said[name] !== undefined);
  if (field === undefined) return undefined;
  if (other !== undefined) {
    issues.push(wrong(`${pointer}/${other}`, `${field} and ${other} exclude each other: keep one`));
    return undefined;
  }
  const ask = READERS[field](said[field], `${pointer}/${field}`, issues);
  for (const second of EXCLUDED[field] ?? [])
    if (said[second] !== undefined)
      issues.push(wrong(`${pointer}/${second}`, `${field} and ${second} exclude each other: keep one`));
  return ask;
}

type Reader = (value: unknown, pointer: string, issues: Issue[]) => UniqueAsk | undefined;

const READERS: Readonly<Record<keyof UniqueOptions, Reader>> = {
  uniqueKey: readKey,
  throttle: readThrottle,
  debounce: readDebounce,
  keepLast: readKeepLast,
};
/** What has no meaning beside it. */
const EXCLUDED: Readonly<Partial<Record<keyof UniqueOptions, readonly string[]>>> = {
  debounce: ['delay', 'runAt'],
  // It brings one of its own.
  keepLast: ['concurrencyKey'],
};

function readKey(value: unknown, pointer: string, issues: Issue[]): UniqueAsk | undefined {
  const written = typeof value === 'string' ? { key: value } : value;
  const fields = fieldsOf(written, ['key', 'while', 'for', 'scope', 'onConflict'], pointer, issues);
  if (!fields) return undefined;
  const before = issues.length;
  const shared = readShared(fields, typeof value === 'string' ? pointer : `${pointer}/key`, pointer, issues);
  const forMs = readDuration(fields['for'], `${pointer}/for`, issues, 1);
  const mode = fields['while'] ?? 'unfinished';
  const onConflict = fields['onConflict'] ?? 'existing';
  if (mode !== 'unfinished' && mode !== 'queued')
    issues.push(wrong(`${pointer}/while`, 'while is unfinished or queued'));
  if (onConflict !== 'existing' && onConflict !== 'replace')
    issues.push(wrong(`${pointer}/onConflict`, 'onConflict is existing or replace'));
  if (fields['for'] !== undefined) {
    if (fields['while'] !== undefined)
      issues.push(wrong(`${pointer}/while`, 'while and for exclude each other'));
    if (onConflict === 'replace')
      issues.push(wrong(`${pointer}/onConflict`, 'for a period the first call wins: nothing is replaced'));
  }
  if (issues.length > before) return undefined;
  return {
    ...shared,
    mode: forMs === undefined ? (mode as 'unfinished' | 'queued') : 'period',
    onConflict: onConflict as UniqueAsk['onConflict'],
    ...(forMs === undefined ? {} : { forMs }),
  };
}

function readThrottle(value: unknown, pointer: string, issues: Issue[]): UniqueAsk | undefined {
  const fields = fieldsOf(value, ['key', 'period', 'scope'], pointer, issues);
  if (!fields) return undefined;
  const before = issues.length;
  const shared = readShared(fields, `${pointer}/key`, pointer, issues);
  const forMs = readDuration(fields['period'], `${pointer}/period`, issues, 1);
  if (fields['period'] === undefined)
    issues.push(wrong(`${pointer}/period`, 'period is a duration such as "1m"'));
  if (issues.length > before || forMs === undefined) return undefined;
  return { ...shared, mode: 'throttle', onConflict: 'existing', forMs };
}

function readDebounce(value: unknown, pointer: string, issues: Issue[]): UniqueAsk | undefined {
  const fields = fieldsOf(value, ['key', 'delay', 'maxWait', 'scope'], pointer, issues);
  if (!fields) return undefined;
  const before = issues.length;
  const shared = readShared(fields, `${pointer}/key`, pointer, issues);
  const delayMs = readDuration(fields['delay'], `${pointer}/delay`, issues, 1);
  const maxWaitMs = readDuration(fields['maxWait'], `${pointer}/maxWait`, issues, 1);
  if (fields['delay'] === undefined)
    issues.push(wrong(`${pointer}/delay`, 'delay is a duration such as "5s"'));
  if (delayMs !== undefined && maxWaitMs !== undefined && maxWaitMs < delayMs)
    issues.push(wrong(`${pointer}/maxWait`, 'maxWait must not be shorter than delay'));
  if (issues.length > before || delayMs === undefined) return undefined;
  const wait = maxWaitMs === undefined ? {} : { maxWaitMs };
  return { ...shared, mode: 'debounce', onConflict: 'replace', delayMs, ...wait };
}

function readKeepLast(value: unknown, pointer: string, issues: Issue[]): UniqueAsk | undefined {
  const before = issues.length;
  const shared = readShared({ key: value }, pointer, pointer, issues);
  return issues.length > before ? undefined : { ...shared, mode: 'last', onConflict: 'replace' };
}

function readShared(
  { key, scope = 'task' }: Readonly<Record<string, unknown>>,
  keyPointer: string,
  pointer: string,
  issues: Issue[],
): { readonly key: string; readonly scope: UniqueScope } {
  if (!isUniqueKey(key))
    issues.push(
      wrong(keyPointer, `a key is a text of 1 to ${MAX_UNIQUE_KEY} characters, none a control character`),
    );
  if (!(UNIQUE_SCOPES as readonly unknown[]).includes(scope))
    issues.push(wrong(`${pointer}/scope`, `scope is one of ${UNIQUE_SCOPES.join(', ')}`));
  return { key: String(key), scope: scope as UniqueScope };
}

function wrong(pointer: string, message: string): Issue {
  return { pointer, code: 'invalid_value', message };
}
