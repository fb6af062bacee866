import { PRIORITIES } from './jobs/envelope.ts';
import { OVERLAP_RULES, SCHEDULE_DEFAULTS } from './schedules/schedule.ts';

/** How fields of a stored definition are written; in plain SQL nothing turns words into milliseconds. */
const FORMS: Readonly<Record<string, string>> = {
  when: 'a rule, or a list of them, such as {"cron": "0 3 * * *"} or {"every": 60000}',
  exclude: 'a list, such as [{"dates": ["2026-12-25"]}]',
  timeZone: 'an IANA name, such as "Europe/Paris"',
  dst: 'such as {"gap": "shift", "fold": "auto"}',
  overlap: `one of ${OVERLAP_RULES.join(', ')}`,
  catchUp: 'one of "latest", "none", {"all": 3}',
  task: 'the name of a task, such as "mail.send"',
  input: 'any JSON, nested no deeper than a job may be',
  queue: 'the name of a queue, such as "default"',
  priority: `one of ${PRIORITIES.join(', ')}`,
  meta: 'texts by their names, such as {"team": "data"}',
  retry: 'such as {"attempts": 3, "delay": 1000}, durations in milliseconds',
  timeout: 'such as {"hard": 60000}, in milliseconds',
  expires: 'a number of milliseconds',
  unique: 'such as {"key": "k", "scope": "task", "mode": "unfinished", "onConflict": "existing"}',
  concurrency: 'such as {"key": "host-7", "limit": 1}',
  onSuccess: 'a list, as the API stores it for a schedule with such a callback',
  onFailure: 'a list, as the API stores it for a schedule with such a callback',
};
const LISTS = new Set(['when', 'exclude']);
const SOUND = { ...SCHEDULE_DEFAULTS, when: { cron: '0 3 * * *' }, job: { task: 'a', input: null } };

/**
 * Which field of a stored definition cannot be read, as its place and how it is written: each is tried alone in a definition that is
 * sound.
 * @param read throws for what cannot be read
 */
export function oddField(
  definition: Readonly<Record<string, unknown>>,
  read: (definition: object) => void,
): string {
  const fails = (change: object) => {
    try {
      read({ ...SOUND, ...change });
      return false;
    } catch {
      return true;
    }
  };
  const told = (place: string, field: string) =>
    `/${place}: cannot be read; write ${FORMS[field] ?? 'it as the API stores it'}`;
  for (const [field, value] of Object.entries(definition)) {
    if (field === 'job' || !fails({ [field]: value })) continue;
    const parts = LISTS.has(field) && Array.isArray(value) ? value : [];
    const index = parts.findIndex((part) => fails({ [field]: [part] }));
    return told(index === -1 ? field : `${field}/${index}`, field);
  }
  const { job } = definition;
  for (const [field, value] of Object.entries(job as object))
    if (fails({ job: { ...SOUND.job, [field]: value } })) return told(`job/${field}`, field);
  return 'it cannot be read: write it as the API stores it';
}
