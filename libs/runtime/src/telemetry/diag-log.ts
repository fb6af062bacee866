import type { DiagLogger } from '@opentelemetry/api';
import type { Log } from '../log.ts';
import type { Environment } from '../variables.ts';

/** More different lines than these are not told apart. */
const MAX_LINES = 100;

/**
 * What OpenTelemetry has to say goes to the app's log: each line once, since a collector that is away would be told of every
 * few seconds.
 * @param to where it is to send, and which variable says so
 */
export function createDiagLog(log: Pick<Log, 'warn' | 'debug'>, to: string): DiagLogger {
  const told = new Set<string>();
  const once = (text: string) => {
    const line = describe(text);
    // A count in it makes it no other line.
    const kind = line.replaceAll(/\d+/g, '#');
    if (told.has(kind) || told.size >= MAX_LINES) return;
    told.add(kind);
    log.warn(
      { from: 'opentelemetry', to, detail: line },
      'OpenTelemetry cannot send what it should; this is said once',
    );
  };
  const quiet = (text: string) => log.debug({ from: 'opentelemetry' }, text);
  return { error: once, warn: once, info: quiet, debug: () => {}, verbose: () => {} };
}

/** The address of a signal in words: the variable that counts, and what is in it. */
export function exportAddress(env: Environment, signal: 'TRACES' | 'METRICS'): string {
  for (const name of [`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, 'OTEL_EXPORTER_OTLP_ENDPOINT']) {
    const address = env[name]?.trim();
    if (address) return `${address} (${name})`;
  }
  return 'localhost, since OTEL_EXPORTER_OTLP_ENDPOINT is not set';
}

/** Export errors come as JSON with a stack; its message is enough. */
function describe(text: string): string {
  try {
    const { name, message, code } = JSON.parse(text) as Record<string, unknown>;
    const parts = [name, code, message].filter((part) => typeof part === 'string' && part !== '');
    return parts.length > 0 ? parts.join(': ') : text;
  } catch {
    return text;
  }
}
