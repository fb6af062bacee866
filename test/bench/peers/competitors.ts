import { bullmqs } from './bullmq.ts';
import { celery } from './celery.ts';
import type { Competitor } from './competitor.ts';
import { graphileWorker } from './graphile-worker.ts';
import { pgBoss } from './pg-boss.ts';

/** All that are measured, in the order in which they run. */
export const competitors: readonly Competitor[] = [...bullmqs, graphileWorker, pgBoss, celery];
