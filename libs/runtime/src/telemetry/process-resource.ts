import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import packageJson from '../../package.json' with { type: 'json' };

/** One for the process, so that its traces and its metrics are told to be of the same one. */
const INSTANCE_ID = randomUUID();

/** What this process says of itself over OTLP, whatever it sends. What the environment says (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`) wins. */
export function processResource(app: string): Resource {
  const own = resourceFromAttributes({
    'service.name': `jetbeat-${app}`,
    'service.version': packageJson.version,
    'service.instance.id': INSTANCE_ID,
    'host.name': hostname(),
    'process.pid': process.pid,
  });
  // The SDK's other detectors read the command line, where there may be secrets.
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
}
