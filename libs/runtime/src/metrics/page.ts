import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { emptyResource } from '@opentelemetry/resources';
import { toMetricData } from './metric-data.ts';
import type { Readings } from './reading.ts';

/** Writes what was read in Prometheus' text format 0.0.4, without the labels that OpenTelemetry adds of itself. */
export function writePage(readings: Readings): string {
  const metrics = toMetricData(readings, { startedAt: 0, now: 0 });
  // In this format a unit is part of the name; a line of its own belongs to OpenMetrics.
  const named = metrics.map((metric) => ({ ...metric, descriptor: { ...metric.descriptor, unit: '' } }));
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  const scopeMetrics = [{ scope: { name: 'jetbeat' }, metrics: named }];
  return serializer.serialize({ resource: emptyResource(), scopeMetrics });
}
