import { type HrTime, ValueType } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import { Histogram } from './histogram.ts';
import { INSTRUMENTS, type MetricName } from './instruments.ts';
import type { Readings } from './reading.ts';

type Value = number | Histogram;
type Times = { readonly startTime: HrTime; readonly endTime: HrTime };

/**
 * Puts what was read into the form of OpenTelemetry's exporters, in the order of the table. `startedAt` and `now` are Unix
 * milliseconds.
 */
export function toMetricData(
  readings: Readings,
  { startedAt, now }: { startedAt: number; now: number },
): MetricData[] {
  const times = { startTime: toHrTime(startedAt), endTime: toHrTime(now) };
  return (Object.keys(INSTRUMENTS) as MetricName[]).flatMap((name): MetricData[] => {
    const reading = readings[name];
    if (reading === undefined) return [];
    const { kind, unit, help: description } = INSTRUMENTS[name];
    const common = {
      descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
    };
    const points: readonly { labels: object; value: Value }[] =
      typeof reading === 'number' || reading instanceof Histogram
        ? [{ labels: {}, value: reading }]
        : reading;
    if (kind === 'histogram') {
      const dataPoints = points.map(({ labels, value }) => ({ ...base(labels, times), value: toSdk(value) }));
      return [{ ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints }];
    }
    const dataPoints = points.map(({ labels, value }) => ({
      ...base(labels, times),
      value: toNumber(value),
    }));
    return kind === 'counter'
      ? [{ ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }]
      : [{ ...common, dataPointType: DataPointType.GAUGE, dataPoints }];
  });
}

function base(labels: object, times: Times) {
  return { ...times, attributes: labels as Record<string, string> };
}

function toNumber(value: Value): number {
  if (typeof value === 'number') return value;
  throw new TypeError('a histogram was read where the table of instruments has a number');
}

function toSdk(value: Value) {
  if (typeof value === 'number') throw new TypeError('a number was read where the table has a histogram');
  const { bounds, counts, sum, count } = value;
  return { buckets: { boundaries: [...bounds], counts: [...counts] }, sum, count };
}

function toHrTime(milliseconds: number): HrTime {
  const seconds = Math.trunc(milliseconds / 1_000);
  return [seconds, Math.round((milliseconds - seconds * 1_000) * 1e6)];
}
