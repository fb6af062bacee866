import { registerHooks } from 'node:module';

// Given to an app by --import: tells every module of OpenTelemetry that it loads.
registerHooks({
  load(url, context, next) {
    const found = /node_modules\/(@opentelemetry\/[^/]+|@fastify\/otel)\//.exec(url);
    if (found) process.stderr.write(`LOADED ${found[1]}\n`);
    return next(url, context);
  },
});
