export { exists } from './exists.ts';
export { type ResolveNatsServerParams, resolveNatsServer } from './find-nats-server.ts';
export { type NatsServer, type StartNatsParams, startNats } from './nats-server.ts';
export { freePort, portIsFree } from './ports.ts';
export { type PostgresServer, type StartPostgresParams, startPostgres } from './postgres-server.ts';
export { type Log, lastLine, type RunParams, type RunResult, run } from './run.ts';
export {
  becomesReady,
  type Exit,
  type ServerProcess,
  startServerProcess,
  tailOf,
  tieToThisProcess,
  troubleOf,
} from './server-process.ts';
