import type { Environment } from '../variables.ts';

/**
 * Whether the environment asks for traces. The specification's default exporter is OTLP to localhost; we want to be asked,
 * by an exporter or an address (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 */
export function isTracingOn(env: Environment): boolean {
  if (text(env.OTEL_SDK_DISABLED).toLowerCase() === 'true') return false;
  const exporters = text(env.OTEL_TRACES_EXPORTER)
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (exporters.length > 0) return !exporters.includes('none');
  return text(env.OTEL_EXPORTER_OTLP_ENDPOINT) !== '' || text(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) !== '';
}

function text(value: string | undefined): string {
  return (value ?? '').trim();
}
