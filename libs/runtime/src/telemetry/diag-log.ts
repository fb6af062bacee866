import type { DiagLogger } from '@opentelemetry/api';
import type { Log } from '../log.ts';

/** More different lines than these are not told apart. */
const MAX_LINES = 100;

/**
 * What OpenTelemetry has to say goes to the app's log: each line once, since a collector that is away would be told of every
 * few seconds.
 */
export function createDiagLog(log: Pick<Log, 'warn' | 'debug'>): DiagLogger {
  const told = new Set<string>();
  const once = (text: string) => {
    const line = describe(text);
    // A count in it makes it no other line.
    const kind = line.replaceAll(/\d+/g, '#');
    if (told.has(kind) || told.size >= MAX_LINES) return;
    told.add(kind);
    log.warn(
      { from: 'opentelemetry', detail: line },
      'OpenTelemetry cannot send what it should; this is said once',
    );
  };
  const quiet = (text: string) => log.debug({ from: 'opentelemetry' }, text);
  return { error: once, warn: once, info: quiet, debug: () => {}, verbose: () => {} };
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
