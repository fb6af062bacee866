import { readdirSync } from 'node:fs';
import { measureLag } from './event-loop-lag.ts';
import { countGarbage } from './garbage.ts';
import type { Readings } from './reading.ts';

const startedAt = () => Date.now() / 1_000 - process.uptime();

/** Measures the process itself. */
export function measureProcess(params: { app: string; version: string }): {
  read(): Readings;
  stop(): void;
} {
  const { app, version } = params;
  const lag = measureLag();
  const garbage = countGarbage();
  const started = startedAt();
  return {
    read() {
      const { user, system } = process.cpuUsage();
      const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
      const { p50, p99, max } = lag.read();
      return {
        process_cpu_seconds_total: (user + system) / 1e6,
        process_resident_memory_bytes: rss,
        process_start_time_seconds: started,
        process_open_fds: openFiles(),
        nodejs_heap_size_used_bytes: heapUsed,
        nodejs_heap_size_total_bytes: heapTotal,
        nodejs_external_memory_bytes: external,
        nodejs_active_resources: activeResources(),
        nodejs_eventloop_lag_p50_seconds: p50,
        nodejs_eventloop_lag_p99_seconds: p99,
        nodejs_eventloop_lag_max_seconds: max,
        nodejs_gc_seconds_total: garbage.seconds,
        nodejs_gc_runs_total: garbage.runs,
        jetbeat_build_info: [{ labels: { app, version, node: process.versions.node }, value: 1 }],
      };
    },
    stop() {
      lag.stop();
      garbage.stop();
    },
  };
}

function activeResources(): { labels: { type: string }; value: number }[] {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, value]) => ({ labels: { type }, value }));
}

function openFiles(): number | undefined {
  try {
    // Reading the folder opens it too.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}
