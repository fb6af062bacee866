import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerEvent } from '@jetbeat/core';
import { connectBus, createEventPublisher, extendDelivery, serveHeld } from '@jetbeat/jetstream';
import { LeaseMemory } from '../limits/lease-memory.ts';
import { watchBlockedLoop } from './blocked-loop.ts';
import type { FromThread, KeepAliveData, ToldShape, ToThread } from './keep-alive.ts';
import { Keepings } from './keepings.ts';
import { keepLease } from './lease-keeper.ts';
import { processTime } from './process-time.ts';
import { Slots } from './slots.ts';

/**
 * The keep-alive thread: with its own connection it extends deliveries, says that the worker lives and answers who holds
 * what, so that a handler which blocks the event loop costs neither its job nor its neighbours.
 */
const data = workerData as KeepAliveData;
const slots = new Slots({ memory: data.memory });
const held = new Keepings();
/** The event loop is taken to be blocked when it has not turned for this long, milliseconds. */
const BLOCKED_MS = 500;
const { ackWaitMs, graceMs } = data;
const extendEveryMs = ackWaitMs / 3;
const heartbeatMs = Math.min(5_000, extendEveryMs);

const bus = await connectBus({ ...data.bus, name: `${data.bus.name} keep-alive` });
const events = createEventPublisher(bus, { maxDelayMs: 0, maxQueued: 100 });

/** What of the worker is different from how it began. */
let shape: Partial<ToldShape> = {};

const blocked = () => processTime() - slots.lastBeat > BLOCKED_MS;
const blockedForGood = watchBlockedLoop(processTime());
const serving = serveHeld(bus, data.worker.worker, ({ ids }) => {
  // A turning event loop answers for itself, and knows better what has begun.
  if (!blocked()) return undefined;
  return held.among(ids).map((id) => ({ id, begun: true }));
});

/** Resolves with whether it is stored. */
function say(state: WorkerEvent['state'], full: boolean): Promise<boolean> {
  const { tasks = [], ...worker } = data.worker;
  const event: WorkerEvent = { kind: 'worker', ...worker, ...shape, state, held: held.size, at: Date.now() };
  return events.publish(full ? { ...event, tasks } : event).then(
    () => true,
    () => false,
  );
}

function endBlocked(): void {
  const ms = blockedForGood({ slots, graceMs, now: processTime() });
  if (ms === undefined) return;
  die(
    `event loop blocked for ${Math.round(ms / 1_000)} s, past the hard limit of a handler: the worker ends, its other jobs run elsewhere`,
  );
}

function die(msg: string): void {
  const { worker } = data.worker;
  writeSync(1, `${JSON.stringify({ level: 60, time: Date.now(), app: 'worker', worker, msg })}\n`);
  process.kill(process.pid, 'SIGKILL');
}

const leased = new LeaseMemory({ ttlMs: data.leaseTtlMs, memory: data.lease });
const keeper = keepLease({
  bus,
  worker: data.worker.worker,
  ttlMs: data.leaseTtlMs,
  memory: leased,
  tell: (lease) => parentPort?.postMessage({ lease } satisfies FromThread),
  onOver: () =>
    die(
      'NATS was away for too long, and handlers under a concurrency limit go on: the worker ends, so that nobody runs beside them',
    ),
});

function extend(now: number): void {
  for (const ackSubject of held.due(now, extendEveryMs)) extendDelivery(bus, ackSubject);
}

const beat = setInterval(
  () => {
    endBlocked();
    extend(Date.now());
  },
  Math.max(20, Math.min(250, ackWaitMs / 12)),
);
const heartbeat = setInterval(() => void say('running', false), heartbeatMs);
const unsubscribe = bus.onReconnect(() => void say('running', true));

async function stop(): Promise<void> {
  clearInterval(beat);
  clearInterval(heartbeat);
  unsubscribe();
  void bus.leave();
  await serving.close();
  await keeper.stop();
  await say('stopped', false);
  await events.close({ timeoutMs: 1_000 });
  await bus.close();
  parentPort?.postMessage('stopped');
  parentPort?.close();
}

parentPort?.on('message', (message: ToThread) => {
  if (message === 'stop') return void stop();
  if (message === 'lease') return keeper.want();
  if ('shape' in message) {
    const { turn } = message;
    shape = message.shape;
    void say('running', false).then((stored) =>
      parentPort?.postMessage({ turn, stored } satisfies FromThread),
    );
    return;
  }
  held.release(message.release);
  for (const batch of message.hold) held.add(batch, Date.now());
});

await say('running', true);
parentPort?.postMessage('ready');
