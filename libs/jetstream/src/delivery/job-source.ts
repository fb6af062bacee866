import type { Priority } from '@jetbeat/core';
import { type Bus, inside } from '../connection/bus.ts';
import type { Log } from '../connection/log.ts';
import { durableName, LANES, type Lane, priorityOf, streamName } from '../streams/names.ts';
import { type Delivery, type DeliveryLane, JobDelivery } from './delivery.ts';
import { OwnPulls } from './own-pulls.ts';
import type { PullStatus } from './pull-book.ts';
import { Puller, type PullRequest } from './puller.ts';

/** How a pull ended. Every pull gets exactly one end, after everything that it brought was handed over. */
export interface PullEnd {
  readonly lane: Lane;
  /**
   * `done`: all that was asked for came. `empty`: nothing (more) was there and it was not to wait. `expired`: its time is over. `refused`: the
   * server said no; pull again after a moment. `lost`: the connection broke, or the end did not arrive; pull again.
   */
  readonly status: PullStatus;
  /** Messages that it asked for and did not bring, as far as can be told. */
  readonly undelivered: number;
  /** Messages of this lane that may still come for other pulls. */
  readonly outstanding: number;
}

/** Whom to hand the jobs of a queue to. Neither function may throw; what they throw is logged. */
export interface JobSourceParams {
  readonly queue: string;
  /** Gets what arrived in one turn of the event loop. */
  readonly onDelivery: (batch: Delivery[]) => void;
  readonly onPullEnd: (end: PullEnd) => void;
  readonly log?: Log;
}

/** Pulls the jobs of one queue. */
export interface JobSource {
  /** Asks for jobs of one lane. Several pulls may be out at once. While disconnected it ends as `lost` after the reconnect. */
  pull(lane: Lane, request: PullRequest): void;
  /** Messages of a lane that may still come. */
  outstanding(lane: Lane): number;
  /** Pulls of a priority that are out, on its lane for what comes; see `ConsumerState.pulls`. */
  pulls(priority: Priority): number;
  /** Takes no more; what was handed out can still be settled, what still arrives is given back. Safe twice. */
  close(): Promise<void>;
}

/**
 * Opens the source of a queue's jobs. Its consumers are made by `ensureTopology`; while they are missing, pulls end as `refused`.
 * @throws InvalidInputError for what is no queue name
 */
export function openJobSource(bus: Bus, params: JobSourceParams): JobSource {
  const inner = inside(bus);
  const { queue, onDelivery, onPullEnd } = params;
  const consumers = Object.fromEntries(LANES.map((lane) => [lane, durableName(queue, lane)])) as Record<
    Lane,
    string
  >;
  const lanes = new Map<string, DeliveryLane>(
    LANES.map((lane) => [consumers[lane], { queue, lane, priority: priorityOf(lane) }]),
  );
  const puller = new Puller({
    bus: inner,
    stream: streamName(inner, 'JOBS'),
    consumers: [...lanes.keys()],
    log: params.log ?? inner.log,
    onMessages: (messages) =>
      onDelivery(
        messages.flatMap(({ message, facts }) => {
          const lane = lanes.get(facts.consumer);
          return lane ? new JobDelivery(inner, message, facts, lane) : [];
        }),
      ),
    onEnd: (consumer, { status, undelivered }) => {
      const found = lanes.get(consumer);
      if (found)
        onPullEnd({ lane: found.lane, status, undelivered, outstanding: puller.outstanding(consumer) });
    },
  });
  const waits = () => LANES.some((lane) => puller.pulls(consumers[lane]) > 0);
  const forget = inner.part(OwnPulls).add(queue, waits);
  return {
    pull: (lane, request) => puller.pull(consumers[lane], request),
    outstanding: (lane) => puller.outstanding(consumers[lane]),
    pulls: (priority) => puller.pulls(consumers[priority]),
    close() {
      forget();
      return puller.close();
    },
  };
}
