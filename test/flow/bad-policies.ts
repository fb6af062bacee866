const many = (count: number, of: unknown) => Array.from({ length: count }, () => of);

/** Options that are wrong, and what is said of them: place and code, whichever way they come. */
export const BAD_POLICIES: readonly (readonly [bad: object, issues: string])[] = [
  [{ retry: 5 }, '/retry invalid_value'],
  [{ retry: null }, '/retry invalid_value'],
  [{ retry: { attempts: 1.5 } }, '/retry/attempts invalid_value'],
  [{ retry: { attempts: '3' } }, '/retry/attempts invalid_value'],
  [{ retry: { atempts: 3 } }, '/retry/atempts unknown_field'],
  [{ retry: { backoff: 'slow' } }, '/retry/backoff invalid_value'],
  [{ retry: { delay: 5 } }, '/retry/delay invalid_duration'],
  [{ retry: { delay: [] } }, '/retry/delay invalid_value'],
  [{ retry: { delay: ['1s', 2] } }, '/retry/delay/1 invalid_duration'],
  [{ retry: { delay: '4000d' } }, '/retry/delay invalid_duration'],
  [{ retry: { factor: 'x' } }, '/retry/factor invalid_value'],
  [{ retry: { max: 'long' } }, '/retry/max invalid_duration'],
  [{ retry: { jitter: 'yes' } }, '/retry/jitter invalid_value'],
  [{ retry: { retryOn: 'Error' } }, '/retry/retryOn invalid_value'],
  [{ retry: { retryOn: [] } }, '/retry/retryOn invalid_value'],
  [
    { retry: { noRetryOn: ['a', 5, ''] } },
    '/retry/noRetryOn/1 invalid_value, /retry/noRetryOn/2 invalid_value',
  ],
  [{ retry: { noRetryOn: many(65, 'a') } }, '/retry/noRetryOn invalid_value'],
  [{ retry: { delay: ['1s'], backoff: 'fixed' } }, '/retry/backoff invalid_value'],
  [{ retry: { backoff: 'linear', factor: 2 } }, '/retry/factor invalid_value'],
  [{ retry: { delay: '1m', max: '1s' } }, '/retry/max invalid_value'],
  [{ timeout: '5s' }, '/timeout invalid_value'],
  [{ timeout: { hard: 5 } }, '/timeout/hard invalid_duration'],
  [{ timeout: { hard: '0s' } }, '/timeout/hard invalid_duration'],
  [{ timeout: { soft: '2s', hard: '1s' } }, '/timeout/soft invalid_value'],
  [
    { retry: { attempts: 'x' }, timeout: { sof: '1s' } },
    '/retry/attempts invalid_value, /timeout/sof unknown_field',
  ],
  [{ expires: 'soon' }, '/expires invalid_duration'],
  [{ expires: 5 }, '/expires invalid_value'],
  [{ expires: '0s' }, '/expires invalid_value'],
  [{ onFailure: 'a' }, '/onFailure invalid_value'],
  [{ onFailure: { tusk: 'a' } }, '/onFailure/tusk unknown_field'],
  [{ onFailure: { task: 5 } }, '/onFailure/task invalid_value'],
  [{ onFailure: { webhook: { url: 'ftp://a' } } }, '/onFailure/webhook/url invalid_value'],
  [{ onFailure: many(11, { task: 'a' }) }, '/onFailure invalid_value'],
  [{ onSuccess: [{ task: 'a', retry: { delay: 5 } }] }, '/onSuccess/0/retry/delay invalid_duration'],
  [{ onSuccess: { task: 'a', input: 5 } }, '/onSuccess/input invalid_value'],
  [{ concurrencyKey: 5 }, '/concurrencyKey invalid_value'],
  [{ concurrencyKey: { limit: 2 } }, '/concurrencyKey/key invalid_value'],
  [{ concurrencyKey: { key: 'a', limits: 2 } }, '/concurrencyKey/limits unknown_field'],
  [{ delay: 5 }, '/delay invalid_duration'],
  [{ queue: 5, priority: 'most' }, '/priority invalid_value, /queue invalid_value'],
  [{ meta: { a: 5 } }, '/meta/a invalid_value'],
  [{ uniqueKey: 5 }, '/uniqueKey invalid_value'],
];

/** Issues as they stand in `BAD_POLICIES`. */
export function issuesText(issues: readonly { pointer: string; code: string }[]): string {
  return issues
    .map(({ pointer, code }) => `${pointer} ${code}`)
    .toSorted()
    .join(', ');
}
