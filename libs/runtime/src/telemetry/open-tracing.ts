import type { AppName } from '../config.ts';
import type { Log } from '../log.ts';
import type { Environment } from '../variables.ts';
import { isTracingOn } from './is-on.ts';
import type { Tracing } from './tracing.ts';

/** Opens tracing where the environment (`OTEL_*`) asks for it; else nothing of OpenTelemetry is even loaded. */
export async function openTracing(params: {
  app: AppName;
  env: Environment;
  log: Log;
}): Promise<Tracing | undefined> {
  if (!isTracingOn(params.env)) return undefined;
  try {
    const { startSdk } = await import('./start-sdk.ts');
    return await startSdk(params);
  } catch (err) {
    params.log.error({ err }, 'traces cannot be made: look at the OTEL_* variables; everything else goes on');
    return undefined;
  }
}
