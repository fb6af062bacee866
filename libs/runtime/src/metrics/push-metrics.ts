import type { AppName } from '../config.ts';
import type { Log } from '../log.ts';
import type { Environment } from '../variables.ts';
import type { Metrics } from './metrics.ts';
import type { Pushing } from './otlp.ts';

/** Whether the environment asks for metrics over OTLP; only by name, since `/metrics` is there in any case. */
export function isPushOn(env: Environment): boolean {
  if ((env.OTEL_SDK_DISABLED ?? '').trim().toLowerCase() === 'true') return false;
  return (env.OTEL_METRICS_EXPORTER ?? '')
    .split(',')
    .map((name) => name.trim())
    .includes('otlp');
}

/** Sends an app's metrics to where the environment (`OTEL_*`) says; else nothing of OpenTelemetry is even loaded. */
export async function pushMetrics(params: {
  app: AppName;
  metrics: Pick<Metrics, 'collect'>;
  env: Environment;
  log: Log;
}): Promise<Pushing | undefined> {
  if (!isPushOn(params.env)) return undefined;
  try {
    const { startPush } = await import('./otlp.ts');
    return startPush(params);
  } catch (err) {
    params.log.error(
      { err },
      'metrics cannot be sent: look at the OTEL_* variables; everything else goes on',
    );
    return undefined;
  }
}
