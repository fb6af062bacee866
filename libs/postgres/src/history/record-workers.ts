import type { TaskInfo, WorkerEvent } from '@jetbeat/core';
import { toJson } from '../database/json.ts';
import { at, type Sql } from '../database/sql.ts';

const LATER = `(excluded.said_at >= w.said_at or excluded.state = 'stopped')`;
// A worker's own clock says which of its reports is the later one; ours says when it was heard of, also when its own was set
// back: whoever is heard of lives.
const OF_THE_REPORT = [
  'state',
  'host',
  'pid',
  'version',
  'queues',
  'concurrency',
  'draining',
  'held',
  'said_at',
]
  .map((name) => `${name} = case when ${LATER} then excluded.${name} else w.${name} end`)
  .join(', ');
const UPSERT_WORKERS = `insert into worker as w (id, state, host, pid, version, queues, concurrency, draining, held, started_at,
    said_at, heard_at, tasks)
  select worker, state, host, pid, version, queues, concurrency, coalesce(draining, false), held, ${at('"startedAt"')}, ${at('at')}, ${at('$2')},
    coalesce(tasks, '{}')
  from json_to_recordset($1::json) as x(worker text, state text, host text, pid integer, version text, queues text[],
    concurrency integer, draining boolean, held integer, "startedAt" float8, at float8, tasks text[])
  order by worker
  on conflict (id) do update set ${OF_THE_REPORT}, heard_at = greatest(w.heard_at, excluded.heard_at),
    tasks = case when excluded.tasks = '{}' or not ${LATER} then w.tasks else excluded.tasks end
  where w.state = 'running'`;

const UPSERT_TASKS = `insert into task as t (name, input_schema, queue, priority, policy, seen_at)
  select name, "inputSchema", queue, priority, policy, ${at('$2')}
  from json_to_recordset($1::json) as x(name text, "inputSchema" jsonb, queue text, priority text, policy jsonb)
  order by name
  on conflict (name) do update set input_schema = excluded.input_schema, queue = excluded.queue,
    priority = excluded.priority, policy = excluded.policy, seen_at = excluded.seen_at`;

/** Notes what workers have said of themselves and of their tasks; of several reports of one worker the last. */
export async function writeWorkers(
  sql: Sql,
  params: { events: readonly WorkerEvent[]; now: number },
): Promise<void> {
  const events = [...params.events].sort((a, b) => a.at - b.at);
  if (events.length === 0) return;
  const said = new Map<string, WorkerEvent>();
  for (const event of events) {
    const before = said.get(event.worker);
    if (before?.state === 'stopped') continue;
    // A heartbeat that leaves its tasks out has still the same ones.
    said.set(event.worker, before?.tasks && !event.tasks ? { ...event, tasks: before.tasks } : event);
  }
  const rows = [...said.values()].map((event) => ({
    ...event,
    tasks: event.tasks?.map((task) => task.name),
  }));
  await sql.run(UPSERT_WORKERS, [toJson(rows), params.now]);
  await writeTasks(sql, { tasks: events.flatMap((event) => event.tasks ?? []), now: params.now });
}

/** Notes what is known of tasks; of several descriptions of one task the last. */
async function writeTasks(sql: Sql, params: { tasks: readonly TaskInfo[]; now: number }): Promise<void> {
  const last = new Map(params.tasks.map((task) => [task.name, task]));
  if (last.size > 0) await sql.run(UPSERT_TASKS, [toJson([...last.values()]), params.now]);
}
