import { DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { emptyResource } from '@opentelemetry/resources';
import {
  MeterProvider,
  type MetricProducer,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import packageJson from '../../package.json' with { type: 'json' };
import type { Log } from '../log.ts';
import { createDiagLog, exportAddress } from '../telemetry/diag-log.ts';
import { isTracingOn } from '../telemetry/is-on.ts';
import { processResource } from '../telemetry/process-resource.ts';
import type { Environment } from '../variables.ts';
import { toMetricData } from './metric-data.ts';
import type { Metrics } from './metrics.ts';

/** What the specification says where the environment says nothing (`OTEL_METRIC_EXPORT_INTERVAL`, `…_TIMEOUT`), milliseconds. */
const EVERY_MS = 60_000;
const TIMEOUT_MS = 30_000;
const FLUSH_MS = 3_000;

/** Metrics on their way to a collector. */
export interface Pushing {
  /** Sends once more, for at most 3 s. */
  stop(): Promise<void>;
}

/** Sends the metrics in intervals; the exporter reads its address and headers from the environment by itself. */
export function startPush(params: {
  app: string;
  metrics: Pick<Metrics, 'collect'>;
  env: Environment;
  log: Log;
}): Pushing {
  const { app, metrics, env, log } = params;
  const startedAt = Date.now() - process.uptime() * 1_000;
  const producer: MetricProducer = {
    async collect() {
      const found = toMetricData(await metrics.collect(), { startedAt, now: Date.now() });
      const scope = { name: 'jetbeat', version: packageJson.version };
      return {
        resourceMetrics: { resource: emptyResource(), scopeMetrics: [{ scope, metrics: found }] },
        errors: [],
      };
    },
  };
  const every = milliseconds(env.OTEL_METRIC_EXPORT_INTERVAL, EVERY_MS);
  const reader = new PeriodicExportingMetricReader({
    exporter: exporterOf(env),
    exportIntervalMillis: every,
    exportTimeoutMillis: Math.min(every, milliseconds(env.OTEL_METRIC_EXPORT_TIMEOUT, TIMEOUT_MS)),
    metricProducers: [producer],
  });
  const provider = new MeterProvider({ resource: processResource(app), readers: [reader] });
  // Tracing brings the same log; a second one would say everything twice.
  if (!env.OTEL_LOG_LEVEL && !isTracingOn(env))
    diag.setLogger(createDiagLog(log, exportAddress(env, 'METRICS')), { logLevel: DiagLogLevel.INFO });
  log.info({ everyMs: every }, 'metrics are sent over OTLP');
  let stopped: Promise<void> | undefined;
  return {
    stop() {
      stopped ??= provider
        .shutdown({ timeoutMillis: FLUSH_MS })
        .catch((err: unknown) => log.warn({ err }, 'the last metrics could not be sent'));
      return stopped;
    },
  };
}

/** @throws Error for gRPC: it would need a stack of its own beside HTTP */
function exporterOf(env: Environment): PushMetricExporter {
  const protocol =
    env.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/protobuf';
  if (protocol === 'http/protobuf') return new OTLPMetricExporter();
  if (protocol === 'http/json') return new JsonExporter();
  throw new Error(`metrics go out as http/protobuf or http/json, not as ${protocol}`);
}

function milliseconds(text: string | undefined, otherwise: number): number {
  const value = Number((text ?? '').trim() || otherwise);
  return Number.isFinite(value) && value > 0 ? value : otherwise;
}
