import { type ScheduleSpec, uuidV7 } from '@jetbeat/core';
import type { OracleRule, OracleSchedule } from './schedule-oracle.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The night in which the clocks of Europe go back, at 01:00 UTC. */
export const FROM = Date.parse('2026-10-25T00:00:00Z');

/** A schedule, and what the oracle is told of it. */
export interface Subject {
  readonly id: string;
  readonly name: string;
  readonly definition: ScheduleSpec;
  readonly oracle: OracleSchedule;
}

/** A mixture of rules and policies, the same for the same number. */
export function subjects(count: number): Subject[] {
  const pick = <const List extends readonly unknown[]>(list: List, index: number) =>
    list[index % list.length] as List[number];
  return Array.from({ length: count }, (_, index): Subject => {
    const zone = pick(['UTC', 'Europe/Paris', 'America/New_York', 'Asia/Kolkata'], index);
    const rules: readonly Rules[] = [
      every(pick([5, 7, 10, 20, 45, 90], index >> 2), index % 3),
      { when: { cron: '*/15 * * * *' }, rule: { minutes: [0, 15, 30, 45], zone } },
      { when: { cron: '0 * * * *' }, rule: { minutes: [0], zone } },
      { when: { cron: '30 2 * * *' }, rule: { minutes: [30], hours: [2], zone } },
      { when: { cron: '10,40 1-6 * * *' }, rule: { minutes: [10, 40], hours: [1, 2, 3, 4, 5, 6], zone } },
    ];
    const { when, rule } = pick(rules, index);
    const overlap = pick(
      ['skip', 'buffer-one', 'buffer-all', 'cancel-previous', 'allow'] as const,
      index >> 1,
    );
    const catchUp = pick(['latest', 'none', { all: 2 }], index);
    const window = pick([30 * MINUTE, HOUR, 12 * HOUR], index >> 3);
    const runs = pick([0.5, 4.5, 17.5, 61.5], index >> 1) * MINUTE;
    const since = FROM + HOUR / 2 + (index % 50) * MINUTE + 15_000;
    const pause = index % 7 === 3 ? { since, until: since + 50 * MINUTE } : undefined;
    const maxRuns = index % 11 === 5 ? 6 : undefined;
    const name = `day.${index}`;
    return {
      id: uuidV7(
        FROM,
        Uint8Array.from({ length: 10 }, (_, byte) => (index >> byte) & 255),
      ),
      name,
      definition: {
        name,
        when,
        timeZone: zone,
        overlap,
        catchUp,
        catchUpWindow: window,
        ...(maxRuns === undefined ? {} : { maxRuns }),
        job: { task: 'day', input: { ms: runs }, timeout: { hard: 10 * HOUR } },
      },
      oracle: {
        rule,
        overlap,
        catchUp,
        window,
        runs,
        ...(pause === undefined ? {} : { pause }),
        ...(maxRuns === undefined ? {} : { maxRuns }),
      },
    };
  });
}

interface Rules {
  readonly when: ScheduleSpec['when'];
  readonly rule: OracleRule;
}

function every(minutes: number, offset: number): Rules {
  const from = FROM + (minutes + offset) * MINUTE;
  return { when: { every: minutes * MINUTE, from }, rule: { every: minutes * MINUTE, from } };
}
