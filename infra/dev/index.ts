export { type ResolveNatsServerParams, resolveNatsServer } from './find-nats-server.ts';
export { type NatsServer, type StartNatsParams, startNats } from './nats-server.ts';
export { freePort, portIsFree } from './ports.ts';
export { type PostgresServer, type StartPostgresParams, startPostgres } from './postgres-server.ts';
export type { Log } from './run.ts';
export type { Exit, ServerProcess } from './server-process.ts';
