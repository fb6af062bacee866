import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StartError } from './start-error.ts';

/** What `npm start` was asked for. Ports are all of 127.0.0.1; the three health ports follow one another. */
export interface StartOptions {
  apiPort: number;
  healthPort: number;
  natsPort: number;
  monitorPort: number;
  postgresPort: number;
  dataDir: string;
  demo: boolean;
}

/** One port, who needs it and the flag that changes it. */
export interface PortUse {
  port: number;
  who: string;
  flag: string;
}

/** The options of `npm start`, one per line. */
export const usage = `npm start -- [options]
  --port N           API and its reference at /docs        (7420)
  --health-port N    scheduler; recorder and worker follow (7421, 7422, 7423)
  --nats-port N      NATS                                  (7432)
  --monitor-port N   NATS monitoring                       (7438)
  --postgres-port N  PostgreSQL                            (7442)
  --data DIR         where everything is kept              (.jetbeat)
  --no-demo          without the demo's schedule and jobs
  --help             says this
Everything listens on 127.0.0.1.`;

/** True when the command line asks for the options, whatever else is on it. */
export function asksForHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('-h');
}

/**
 * Reads the command line. A relative `--data` is meant from where the user stands, which npm tells in INIT_CWD.
 * Throws StartError for an unknown flag or a value that is no port.
 */
export function parseStart(params: { args: readonly string[]; root: string; from: string }): StartOptions {
  const options = {
    port: { type: 'string', default: '7420' },
    'health-port': { type: 'string', default: '7421' },
    'nats-port': { type: 'string', default: '7432' },
    'monitor-port': { type: 'string', default: '7438' },
    'postgres-port': { type: 'string', default: '7442' },
    data: { type: 'string' },
    'no-demo': { type: 'boolean', default: false },
  } as const;
  try {
    const { values } = parseArgs({ args: [...params.args], options, strict: true, allowPositionals: false });
    return {
      apiPort: portOf('--port', values.port),
      healthPort: portOf('--health-port', values['health-port'], 2),
      natsPort: portOf('--nats-port', values['nats-port']),
      monitorPort: portOf('--monitor-port', values['monitor-port']),
      postgresPort: portOf('--postgres-port', values['postgres-port']),
      dataDir: values.data === undefined ? join(params.root, '.jetbeat') : resolve(params.from, values.data),
      demo: !values['no-demo'],
    };
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`${(error as Error).message.split('\n')[0]}\n\n${usage}`, { cause: error });
  }
}

function portOf(flag: string, text: string, room = 0): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535 - room) return port;
  throw new StartError(`${flag} ${text}: a port is a whole number from 1 to ${65_535 - room}\n\n${usage}`);
}

/** Every port of a start. */
export function portsOf(options: StartOptions): PortUse[] {
  const first = options.healthPort;
  return [
    { port: options.apiPort, who: 'the API', flag: '--port' },
    { port: first, who: "the scheduler's health", flag: '--health-port' },
    { port: first + 1, who: "the recorder's health", flag: '--health-port' },
    { port: first + 2, who: "the worker's health", flag: '--health-port' },
    { port: options.natsPort, who: 'NATS', flag: '--nats-port' },
    { port: options.monitorPort, who: 'NATS monitoring', flag: '--monitor-port' },
    { port: options.postgresPort, who: 'PostgreSQL', flag: '--postgres-port' },
  ];
}
