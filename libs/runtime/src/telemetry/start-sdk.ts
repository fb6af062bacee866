import { DiagLogLevel, diag } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import packageJson from '../../package.json' with { type: 'json' };
import type { AppName } from '../config.ts';
import type { Log } from '../log.ts';
import type { Environment } from '../variables.ts';
import { ChosenIds } from './chosen-ids.ts';
import { createDiagLog, exportAddress } from './diag-log.ts';
import { createPgInstrument } from './instrument-pg.ts';
import { createTracing } from './otel-tracing.ts';
import { processResource } from './process-resource.ts';
import { readSampling, toSampler } from './sampling.ts';
import { createSpanProcessors } from './span-processors.ts';
import type { Tracing } from './tracing.ts';

/** What is left is sent for so long when the app stops, milliseconds. */
const FLUSH_MS = 3_000;

/**
 * Starts the SDK, configured by the standard environment: exporter, address, batching, propagators, resource. It makes no
 * metrics and no logs; those have ways of their own.
 */
export async function startSdk(params: { app: AppName; env: Environment; log: Log }): Promise<Tracing> {
  const { app, env, log } = params;
  const warn = (text: string) => log.warn({}, text);
  const sampling = readSampling(env, warn);
  const ids = new ChosenIds();
  const resource = processResource(app);
  const spanProcessors = await createSpanProcessors(env, warn);
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    sampler: toSampler(sampling),
    idGenerator: ids,
    spanProcessors,
    metricReaders: [],
    logRecordProcessors: [],
  });
  const to = exportAddress(env, 'TRACES');
  if (!env.OTEL_LOG_LEVEL) diag.setLogger(createDiagLog(log, to), { logLevel: DiagLogLevel.INFO });
  sdk.start();
  log.info({ sampler: env.OTEL_TRACES_SAMPLER ?? 'parentbased_always_on' }, 'traces are on');
  const onEnd = (span: ReadableSpan) => {
    for (const processor of spanProcessors) processor.onEnd(span);
  };
  let stopped: Promise<void> | undefined;
  return createTracing({
    origin: {
      resource,
      scope: { name: 'jetbeat', version: packageJson.version },
      onEnd,
    },
    onSent: onEnd,
    ids,
    sampling,
    instrumentPg: createPgInstrument(),
    stop() {
      stopped ??= within(FLUSH_MS, sdk.shutdown());
      return stopped;
    },
  });
}

/** A collector that does not answer must not hold up the end. */
async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
