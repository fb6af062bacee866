/** An escape that jsonb refuses: NUL, and halves of a surrogate pair (the only `\ud…` that JSON.stringify writes). */
const REFUSED = /\\(?:\\|u0000|ud[89a-f][0-9a-f]{2})/g;

/**
 * Writes JSON that PostgreSQL takes as jsonb. NUL and unpaired surrogates, which JSON has and jsonb has not
 * (https://www.postgresql.org/docs/18/datatype-json.html), become U+FFFD: one strange character in an error message must
 * not stop history.
 */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.includes('\\u')
    ? text.replace(REFUSED, (found) => (found === '\\\\' ? found : '\\ufffd'))
    : text;
}

/** The same for a value that something else will write as JSON. */
export function cleanJson<T>(value: T): T {
  return JSON.parse(toJson(value)) as T;
}

/** Leaves out what is null or undefined, so that optional fields are absent rather than null. */
export function known<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], null | undefined> } {
  const kept: { [K in keyof T]?: Exclude<T[K], null | undefined> } = {};
  // It is done for each row of a list: a list of its fields would cost more than the rest of reading it.
  for (const name in fields) {
    const value = fields[name];
    if (value !== null && value !== undefined)
      kept[name] = value as Exclude<T[typeof name], null | undefined>;
  }
  return kept;
}
