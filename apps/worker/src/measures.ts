import { type DoubtAnswer, OUTCOMES, type Outcome } from '@jetbeat/core';
import { type Delivery, type EventPublisher, type JobSource, LANES } from '@jetbeat/jetstream';
import { type Cell, createCells, Histogram, type Readings } from '@jetbeat/runtime';
import type { IsolatedRuns, Task } from '@jetbeat/task';
import type { Doubts } from './doubts/doubts.ts';
import type { Park } from './ends/park.ts';
import type { Held } from './held.ts';
import type { HeldJobs } from './held-jobs.ts';

/** What is counted of one task in one queue. */
class TaskCounts {
  readonly queue: string;
  readonly task: string;
  started = 0;
  readonly outcomes: Record<Outcome, number>;
  readonly runs = new Histogram();

  constructor(queue: string, task: string) {
    this.queue = queue;
    this.task = task;
    this.outcomes = Object.fromEntries(OUTCOMES.map((name) => [name, 0])) as TaskCounts['outcomes'];
  }
}

/** What is counted of one queue. */
interface QueueCounts {
  taken: number;
  redelivered: number;
  readonly waits: Histogram;
  readonly tasks: Map<string, TaskCounts>;
}

/**
 * What a worker counts of its work: numbers that are raised where something happens, and read at a scrape. Its series are
 * bounded by its queues and by the tasks that it serves.
 */
export class Measures {
  readonly #queues = new Map<string, QueueCounts>();
  readonly #answers = createCells<'answer', number>({ open: 'answer', make: () => 0 });
  readonly #parked = createCells<'what', number>({ open: 'what', make: () => 0 });
  /** Found last: mostly one task comes in a row. */
  #last: TaskCounts | undefined;
  malformed = 0;
  /** Handlers that run on although their attempt has ended. */
  abandoned = 0;
  #givenBack = 0;

  constructor(queues: readonly string[]) {
    this.serve(queues);
  }

  /** There may be more queues; what was counted of others stays. */
  serve(queues: readonly string[]): void {
    for (const queue of queues) {
      if (this.#queues.has(queue)) continue;
      this.#queues.set(queue, { taken: 0, redelivered: 0, waits: new Histogram(), tasks: new Map() });
    }
  }

  /** Messages of one queue have come in. */
  took(queue: string, deliveries: readonly Delivery[]): void {
    const counts = this.#queues.get(queue);
    if (!counts) return;
    counts.taken += deliveries.length;
    for (const { deliveryCount } of deliveries) if (deliveryCount > 1) counts.redelivered += 1;
  }

  /** A handler begins. */
  began(held: Held, task: Task, startedAt: number): void {
    const delivery = held.deliveries[0];
    const queue = delivery && this.#queues.get(delivery.queue);
    if (!queue) return;
    this.#of(delivery.queue, queue, task.name).started += 1;
    const { attempt, run, parks, runAt } = held.job;
    const first = attempt + run + parks === 2;
    // Of a retry the time to run is when its timer fired, not what the job was made for.
    queue.waits.record((startedAt - (first ? runAt : (delivery.storedAt ?? runAt))) / 1_000);
  }

  /** A handler has ended, after `ms` milliseconds. */
  ran(held: Held, ms: number): void {
    this.#find(held)?.runs.record(ms / 1_000);
  }

  /** An outcome is stored. */
  settled(held: Held, outcome: Outcome): void {
    const counts = this.#find(held);
    if (counts) counts.outcomes[outcome] += 1;
  }

  /** The same doubts, counted by their answers. */
  counted(doubts: Doubts): Doubts {
    const count = (answer: DoubtAnswer | undefined) => {
      this.#answers.of({ answer: answer?.answer ?? 'none' }).value += 1;
      return answer;
    };
    return { ask: (question) => doubts.ask(question).then(count), stop: () => doubts.stop() };
  }

  /** The same parking, counted by what it is for. */
  countedPark(park: Park): Park {
    return async (held, what) => {
      await park(held, what);
      this.#parked.of({ what: what.what }).value += 1;
    };
  }

  /** The same giving back, counted. */
  countedGiveBack(giveBack: (held: Held) => Promise<void>): (held: Held) => Promise<void> {
    return async (held) => {
      await giveBack(held);
      this.#givenBack += 1;
    };
  }

  /** What `/metrics` says of it. */
  readings(now: {
    jobs: Pick<HeldJobs, 'size' | 'running'>;
    concurrency: number;
    events: Pick<EventPublisher, 'queued'>;
    runs: Pick<IsolatedRuns, 'count'>;
    sources: ReadonlyMap<string, Pick<JobSource, 'outstanding'>>;
  }): Readings {
    const queues = [...this.#queues].map(([queue, counts]) => ({ labels: { queue }, counts }));
    const tasks = queues.flatMap(({ counts }) => [...counts.tasks.values()]);
    return {
      jetbeat_worker_jobs_taken_total: queues.map(({ labels, counts }) => ({ labels, value: counts.taken })),
      jetbeat_worker_jobs_redelivered_total: queues.map(({ labels, counts }) => ({
        labels,
        value: counts.redelivered,
      })),
      jetbeat_worker_wait_seconds: queues.map(({ labels, counts }) => ({ labels, value: counts.waits })),
      jetbeat_worker_attempts_started_total: tasks.map(({ queue, task, started }) => ({
        labels: { queue, task },
        value: started,
      })),
      jetbeat_worker_attempts_total: tasks.flatMap(byOutcome),
      jetbeat_worker_run_seconds: tasks.map(({ queue, task, runs }) => ({
        labels: { queue, task },
        value: runs,
      })),
      jetbeat_worker_jobs_held: now.jobs.size,
      jetbeat_worker_jobs_running: now.jobs.running,
      jetbeat_worker_slots: now.concurrency,
      jetbeat_worker_handlers_abandoned: this.abandoned,
      jetbeat_worker_children: (['thread', 'process'] as const).map((kind) => ({
        labels: { kind },
        value: now.runs.count(kind),
      })),
      jetbeat_worker_pulls_outstanding: [...now.sources].map(([queue, source]) => ({
        labels: { queue },
        value: LANES.reduce((sum, lane) => sum + source.outstanding(lane), 0),
      })),
      jetbeat_worker_events_queued: now.events.queued,
      jetbeat_worker_doubts_total: this.#answers.all,
      jetbeat_worker_jobs_parked_total: this.#parked.all,
      jetbeat_worker_jobs_given_back_total: this.#givenBack,
      jetbeat_worker_jobs_malformed_total: this.malformed,
    };
  }

  #find(held: Held): TaskCounts | undefined {
    const name = held.deliveries[0]?.queue;
    const queue = name === undefined ? undefined : this.#queues.get(name);
    return queue && this.#of(name ?? '', queue, held.job.task);
  }

  #of(name: string, queue: QueueCounts, task: string): TaskCounts {
    const last = this.#last;
    if (last?.task === task && last.queue === name) return last;
    let counts = queue.tasks.get(task);
    if (!counts) {
      counts = new TaskCounts(name, task);
      queue.tasks.set(task, counts);
    }
    this.#last = counts;
    return counts;
  }
}

function byOutcome({ queue, task, outcomes }: TaskCounts): Cell<'queue' | 'task' | 'outcome', number>[] {
  return Object.entries(outcomes).map(([outcome, value]) => ({ labels: { queue, task, outcome }, value }));
}
