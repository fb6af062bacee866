export { type AppName, type Config, loadConfig } from './config.ts';
export { ConfigError } from './config-error.ts';
export { FileSchema } from './config-schema.ts';
export { type EveryParams, every, type Loop } from './every.ts';
export { type Check, type Checks, type HealthReport, healthReport } from './health.ts';
export { type HealthServer, startHealthServer } from './health-server.ts';
export { createLog, type Log } from './log.ts';
export { type NatsOptions, natsOptions } from './nats-options.ts';
export { type Running, runApp, type StartParams } from './run-app.ts';
