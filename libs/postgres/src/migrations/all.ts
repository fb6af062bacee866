import { Access } from './access.ts';
import { Askers } from './askers.ts';
import { Audit } from './audit.ts';
import { Batches } from './batches.ts';
import { BoundedEdits } from './bounded-edits.ts';
import { Callbacks } from './callbacks.ts';
import { Expiry } from './expiry.ts';
import { HeardBatches } from './heard-batches.ts';
import { Initial } from './initial.ts';
import { OneBeginning } from './one-beginning.ts';
import { Queues } from './queues.ts';
import { Retries } from './retries.ts';
import { ScheduleUpkeep } from './schedule-upkeep.ts';
import { Schedules } from './schedules.ts';
import { Secrets } from './secrets.ts';
import { Sessions } from './sessions.ts';
import { TaskLimits } from './task-limits.ts';
import { Unique } from './unique.ts';
import { Unmade } from './unmade.ts';

/**
 * Every migration, in its order. Each is one short transaction that writes and reads no history: it may add tables and columns, and what
 * takes longer than a moment is no migration (indexes of history: `historyIndexes`).
 */
export const migrations = [
  Initial,
  Expiry,
  Queues,
  Callbacks,
  Retries,
  Unique,
  Unmade,
  TaskLimits,
  Schedules,
  ScheduleUpkeep,
  Access,
  Audit,
  Secrets,
  Batches,
  Sessions,
  Askers,
  HeardBatches,
  OneBeginning,
  BoundedEdits,
];
