import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import type { Tracing } from './tracing.ts';
import { withoutValues } from './without-values.ts';

/**
 * Instruments `pg` where it is in use rather than where it is loaded: an instrumentation that hooks the loader would have to
 * come before every import, and hooks all that is loaded later. Statements make spans only inside of another one, or the
 * apps' own looking around would fill the traces.
 */
export function createPgInstrument(): Tracing['instrumentPg'] {
  const instrumentation = new PgInstrumentation({
    enabled: false,
    requireParentSpan: true,
    ignoreConnectSpans: true,
    enhancedDatabaseReporting: false,
    requestHook(span, { query }) {
      if (span.isRecording()) span.setAttribute('db.query.text', withoutValues(query.text));
    },
  });
  const patches = instrumentation.getModuleDefinitions().filter(({ name }) => name === 'pg');
  const seen = new WeakSet<object>();
  return (driver) => {
    const { Client } = driver;
    if (typeof Client !== 'function' || seen.has(Client)) return;
    seen.add(Client);
    for (const { patch } of patches) patch?.({ Client });
  };
}
