import { setImmediate as turn } from 'node:timers/promises';
import packageJson from '../../package.json' with { type: 'json' };
import { measureProcess } from './process-readings.ts';
import type { Readings } from './reading.ts';

/** The metrics of one app. */
export interface Metrics {
  /** Reads with every scrape what `read` says then; what throws, or takes longer than 2 s, is left out and counted. */
  observe(read: () => Readings | Promise<Readings>): void;
  /** Reads everything once. */
  collect(): Promise<Readings>;
  /** The page `/metrics`. Many who ask at the same time cost one. */
  page(): Promise<string>;
  stop(): void;
}

/** The content type of the page: Prometheus' text format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const READ_MS = 2_000;

/** Starts to measure the process; the app adds what it counts. Safe to leave unread: nothing piles up. */
export function createMetrics(params: { app: string }): Metrics {
  const { app } = params;
  const basics = measureProcess({ app, version: packageJson.version });
  const reads: (() => Readings | Promise<Readings>)[] = [() => basics.read()];
  let failures = 0;
  let loaded: ReturnType<typeof loadPage> | undefined;
  let next: Promise<string> | undefined;

  const collect = async (): Promise<Readings> => {
    const found = await Promise.all(
      reads.map((read) =>
        bounded(read).catch((): Readings => {
          failures += 1;
          return {};
        }),
      ),
    );
    return Object.assign({ jetbeat_scrape_failures_total: failures }, ...found) as Readings;
  };
  const make = async (): Promise<string> => {
    try {
      // All that ask in one turn of the event loop share a page; who comes after its reading began gets a newer one.
      await turn();
      loaded ??= loadPage();
      const { writePage } = await loaded;
      next = undefined;
      return writePage(await collect());
    } catch (error) {
      next = undefined;
      throw error;
    }
  };
  return {
    observe: (read) => void reads.push(read),
    collect,
    page() {
      next ??= make();
      return next;
    },
    stop: () => basics.stop(),
  };
}

/**
 * OpenTelemetry's SDK takes a tenth of a second and 27 MB, so it comes with the first scrape, and piece by piece: a worker
 * must not stand still for it.
 */
async function loadPage(): Promise<typeof import('./page.ts')> {
  await import('@opentelemetry/api');
  await turn();
  await import('@opentelemetry/semantic-conventions');
  await turn();
  await import('@opentelemetry/resources');
  await turn();
  await import('@opentelemetry/sdk-metrics');
  await turn();
  return import('./page.ts');
}

async function bounded(read: () => Readings | Promise<Readings>): Promise<Readings> {
  const readings = read();
  if (!(readings instanceof Promise)) return readings;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no readings within ${READ_MS} ms`)), READ_MS);
  });
  return Promise.race([readings, late]).finally(() => clearTimeout(timer));
}
