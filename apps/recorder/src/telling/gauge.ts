import {
  decideGate,
  describeStorage,
  type FullQueue,
  type StorageFigures,
  type StorageGate,
  storageLevel,
} from '@jetbeat/core';
import { type Bus, gaugeStorage, type Log, publishStorage } from '@jetbeat/jetstream';

/** Knows how full JetStream and EVENTS are, and tells everybody who makes new jobs. */
export interface Gauge {
  /** Looks once and tells; returns in how many milliseconds it should look again. Any number of replicas may do so. */
  look(): Promise<number>;
  /** Undefined until the first look has succeeded, and when none has for a while. */
  readonly last: StorageFigures | undefined;
  /** What producers make of the figures. */
  readonly gate: StorageGate;
  /** What is recorded is kept no longer for live readers: its room is needed. */
  readonly tight: boolean;
}

/** From here on it is looked at more often, since a bulk load fills a small store within a second. */
const OFTEN_AT = 0.5;
/** Older figures say nothing, milliseconds. */
const STALE_MS = 3_000;
/** Live readers of EVENTS give way before the first new job is refused. */
const TIGHT_AT = 0.6;

/**
 * Makes the gauge.
 * @param params.limit bound of JetStream's files in bytes, where the operator has told it
 * @param params.onRoomNeeded called by a look that finds EVENTS fuller than it is left by trimming
 */
export function createGauge(params: {
  readonly bus: Bus;
  readonly log: Log;
  readonly limit?: number;
  readonly everyMs: number;
  readonly onRoomNeeded: () => void;
  readonly fullQueues: () => Promise<readonly FullQueue[]>;
}): Gauge {
  const { bus, log, limit, everyMs, onRoomNeeded, fullQueues } = params;
  let last: StorageFigures | undefined;
  let lookedAt = 0;
  let gate: StorageGate = 'open';
  let tight = false;
  const tell = (figures: StorageFigures) => {
    if (gate === 'refuse') log.warn({ ...figures }, `new jobs are refused: ${describeStorage(figures)}`);
    else log.info({ ...figures }, 'there is room again: new jobs are taken');
  };
  return {
    async look() {
      const { figures, events } = await gaugeStorage(bus, limit === undefined ? {} : { limit });
      const full = await fullQueues();
      const told = full.length === 0 ? figures : { ...figures, full };
      publishStorage(bus, told);
      last = told;
      lookedAt = performance.now();
      tight = storageLevel({ ...figures, events: { used: 0 } }).share >= TIGHT_AT;
      if (tight || events.bytes > events.maxBytes / 2) onRoomNeeded();
      const before = gate;
      gate = decideGate(gate, figures);
      if (gate !== before) tell(figures);
      return storageLevel(figures).share >= OFTEN_AT ? everyMs / 5 : everyMs;
    },
    get last() {
      return performance.now() - lookedAt < STALE_MS ? last : undefined;
    },
    get gate() {
      return gate;
    },
    get tight() {
      return tight;
    },
  };
}
