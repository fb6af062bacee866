import type { Mutant } from './mutant.ts';

/** Breaks of what the API tells. */
export const mutantsOfApi: readonly Mutant[] = [
  {
    name: 'told-before-recorded',
    breaks: 'an event is told once history has it',
    file: 'apps/api/src/live/hub.ts',
    search: 'Math.min(stand.recordedUpTo, lastSeq)',
    replace: 'lastSeq',
    tests: ['apps/api/src/live/feed.test.ts'],
  },
  {
    name: 'gap-untold',
    breaks: 'a client that was too slow is told that it missed something',
    file: 'apps/api/src/live/feed.ts',
    search: "tellGap('slow', plain(hub.place))",
    replace: 'told = plain(hub.place)',
    tests: ['apps/api/src/live/feed.test.ts'],
  },
];
