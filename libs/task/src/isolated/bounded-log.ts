import type { TaskLog } from '../context.ts';
import { describeThrown } from '../describe-thrown.ts';
import type { LogEntry } from './messages.ts';

/** The most lines in a second; a handler that says more is cut short, or its words would fill the worker's memory. */
const MAX_LINES = 1_000;
/** The longest line, characters of its fields and of its message. */
const MAX_LENGTH = 16_384;

/** A log whose lines are handed to another thread or process, bounded in number and in length. */
export interface BoundedLog {
  readonly log: TaskLog;
  /** Says how many lines were left out, if any. */
  end(): void;
}

/** @param now Unix milliseconds */
export function createBoundedLog(say: (entry: LogEntry) => void, now: () => number): BoundedLog {
  let second = 0;
  let lines = 0;
  let left = 0;
  const tellLeft = () => {
    if (left === 0) return;
    const message = `${left} lines of the handler's log were left out: more than ${MAX_LINES} in a second`;
    left = 0;
    say({ level: 'warn', fields: {}, message });
  };
  const line = (level: keyof TaskLog) => (first: object | string, message?: string) => {
    const current = Math.floor(now() / 1_000);
    if (current !== second) {
      second = current;
      lines = 0;
      tellLeft();
    }
    if (lines >= MAX_LINES) {
      left++;
      return;
    }
    lines++;
    const text = typeof first === 'string' ? first : (message ?? '');
    say({ level, fields: typeof first === 'string' ? {} : plain(first), message: text.slice(0, MAX_LENGTH) });
  };
  return {
    log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
    end: tellLeft,
  };
}

/** Errors have no fields of their own for JSON, and what cannot be JSON must not end a run. */
function plain(fields: object): object {
  try {
    const given = fields instanceof Error ? { err: fields } : fields;
    const entries = Object.entries(given).map(([name, value]) => [
      name,
      value instanceof Error ? describeThrown(value) : value,
    ]);
    const text = JSON.stringify(Object.fromEntries(entries));
    return text.length <= MAX_LENGTH ? (JSON.parse(text) as object) : { cut: text.slice(0, MAX_LENGTH) };
  } catch {
    return { cut: 'these fields cannot be written as JSON' };
  }
}
