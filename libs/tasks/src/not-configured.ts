import { type OnPurposeError, Reject } from '@jetbeat/task';

/** The entry of a configured section, or the error that names the setting to write. */
export function configured<T>(section: Readonly<Record<string, T>>, name: string, setting: string): T {
  const found = Object.hasOwn(section, name) ? section[name] : undefined;
  if (found === undefined) throw notConfigured(`${setting}.${name}`, Object.keys(section));
  return found;
}

/** Rejected with the code `not_configured`: a built-in task does only what the configuration of its worker allows. */
export function notConfigured(setting: string, there: readonly string[] = []): OnPurposeError {
  const known = there.length === 0 ? '' : ` (there is ${there.slice(0, 20).join(', ')})`;
  return Reject(`${setting} is not configured on this worker: write it into jetbeat.yaml${known}`, {
    code: 'not_configured',
  });
}
