import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import type { Environment } from '../variables.ts';
import { ProtobufExporter, writeEarly } from './protobuf-exporter.ts';
import { SpanSerializer } from './span-serializer.ts';

/** How many spans wait at most where nothing else is said. */
const QUEUE_SIZE = 2_048;

/** Makes what spans go through, by the standard variables. What cannot be read is told, and the default taken. */
export async function createSpanProcessors(
  env: Environment,
  warn: (text: string) => void,
): Promise<SpanProcessor[]> {
  const names = (env.OTEL_TRACES_EXPORTER ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const processors: SpanProcessor[] = [];
  for (const name of new Set(names.length > 0 ? names : ['otlp'])) {
    if (name === 'console') {
      processors.push(new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() }));
    } else if (name === 'otlp') {
      processors.push(await createOtlpProcessor(env, warn));
    } else {
      warn(`OTEL_TRACES_EXPORTER ${JSON.stringify(name)} is not known here: use otlp, console or none`);
    }
  }
  return processors;
}

async function createOtlpProcessor(env: Environment, warn: (text: string) => void): Promise<SpanProcessor> {
  const protocol = (env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL || '').trim();
  if (protocol === 'http/json') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
    return createBatch(env, new OTLPTraceExporter());
  }
  if (protocol === 'grpc') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
    return createBatch(env, new OTLPTraceExporter());
  }
  if (protocol !== '' && protocol !== 'http/protobuf') {
    warn(`OTEL_EXPORTER_OTLP_PROTOCOL ${JSON.stringify(protocol)} is not known: http/protobuf is used`);
  }
  const serializer = new SpanSerializer();
  return writeEarly(createBatch(env, new ProtobufExporter(serializer)), serializer, queueSize(env));
}

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#batch-span-processor */
function createBatch(env: Environment, exporter: SpanExporter): BatchSpanProcessor {
  const number = (name: string, option: string) => {
    const value = Number(env[name] || Number.NaN);
    return value >= 0 ? { [option]: value } : {};
  };
  return new BatchSpanProcessor({
    exporter,
    maxQueueSize: queueSize(env),
    ...number('OTEL_BSP_SCHEDULE_DELAY', 'scheduledDelayMillis'),
    ...number('OTEL_BSP_EXPORT_TIMEOUT', 'exportTimeoutMillis'),
    ...number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'maxExportBatchSize'),
  });
}

function queueSize(env: Environment): number {
  const value = Number(env.OTEL_BSP_MAX_QUEUE_SIZE || Number.NaN);
  return value >= 0 ? value : QUEUE_SIZE;
}
