import { expect, test } from 'vitest';
import { checkUnused } from './check-unused.ts';

const unused = { queue: undefined, isConfigured: false, workers: [], hasJobs: false };
const said = { initial: {} };
const purge = { upTo: 1, at: 1, before: 1, streamCreated: 1, timers: false, by: 'first', removed: 0 };

test.each([
  ['nobody uses it', {}, undefined],
  ['something was said of it', { queue: said }, undefined],
  ['it was purged', { queue: { ...said, purge: { ...purge, doneAt: 2 } } }, undefined],
  ['the configuration here names it', { isConfigured: true }, 'it stands in the configuration'],
  ['a configuration says something', { queue: { ...said, initial: { maxDepth: 1 } } }, 'the configuration'],
  ['a worker serves it', { workers: ['w1', 'w2'] }, 'the worker w1 takes jobs from it'],
  ['it is being purged', { queue: { ...said, purge } }, 'it is being purged'],
  ['it has jobs', { hasJobs: true }, 'POST /api/v1/queues/mail/purge'],
])('%s', (_what, uses, refused) => {
  const check = () => checkUnused('mail', { ...unused, ...uses });
  if (refused === undefined) expect(check).not.toThrow();
  else
    expect(check).toThrow(
      expect.objectContaining({ code: 'queue_in_use', message: expect.stringContaining(refused) }),
    );
});
