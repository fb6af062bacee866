import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Api, askUntil, callApi } from './api-call.ts';
import { appSpecs, startBegun } from './apps.ts';
import { banner } from './banner.ts';
import { checkPorts } from './check-ports.ts';
import { adminKeyFile, readKey, settingsFile } from './data-files.ts';
import { demoSchedule, seedDemo } from './demo/seed.ts';
import { resolveNatsServer } from './find-nats-server.ts';
import { firstRun, firstRunLine } from './first-run.ts';
import { stopLeftovers, supervisorName } from './leftovers.ts';
import { openLogFiles } from './log-files.ts';
import { asksForHelp, parseStart, portsOf, type StartOptions, usage } from './options.ts';
import { openProcessesFile } from './processes-file.ts';
import type { Log } from './run.ts';
import { signInLink } from './sign-in-link.ts';
import { type Stack, startStack } from './stack.ts';
import { inWords, StartError } from './start-error.ts';
import { type Stoppable, untilStopped } from './until-stopped.ts';
import { usualDrainMs, workerDrain } from './worker-drain.ts';

const appNames = ['api', 'scheduler', 'recorder', 'worker'];
const readyMs = 60_000;
const firstRunMs = 90_000;
const capLogsEveryMs = 15_000;
const stopWithinMs = 9500;

const root = resolve(import.meta.dirname, '../..');
const log: Log = (line) => console.log(line);

/** What `npm start` does: sets up, starts everything, says where it is, shows the first run, and stays. */
async function bringUp(params: {
  options: StartOptions;
  signal: AbortSignal;
  onStack: (stack: Stack & Stoppable) => void;
}): Promise<void> {
  const { options, signal } = params;
  const { dataDir } = options;
  const listFile = join(dataDir, 'processes.json');
  await stopLeftovers({ file: listFile, log });
  await checkPorts(portsOf(options));
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const processes = openProcessesFile(listFile);
  await processes.set(supervisorName, { pid: process.pid, ports: [] });
  const cacheDir = join(root, '.jetbeat', 'cache');
  const natsBin = await resolveNatsServer({
    cacheDir,
    log,
    signal,
    bin: process.env['JETBEAT_NATS_SERVER_BIN'] ?? '',
  });
  const logs = await openLogFiles({ dir: join(dataDir, 'logs') });
  for (const name of appNames) await logs.rotate(name);
  const keyFile = await adminKeyFile(dataDir);
  const settings = await settingsFile({ root, dataDir });
  const drainMs = await workerDrain({ JETBEAT_CONFIG: settings, ...process.env });
  signal.throwIfAborted();
  const postgresBinDir = process.env['JETBEAT_POSTGRES_BIN'];
  log('Starting PostgreSQL, NATS and the apps …');
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => {});
  const stack = await startStack({
    dataDir,
    root,
    natsBin,
    cacheDir,
    processes,
    logs,
    log,
    signal,
    outlive: true,
    natsPort: options.natsPort,
    monitorPort: options.monitorPort,
    postgresPort: options.postgresPort,
    ...(postgresBinDir === undefined || postgresBinDir === '' ? {} : { postgresBinDir }),
    apps: (urls) => appSpecs({ root, options, urls, keyFile, settings, env: process.env, drainMs }),
    onRefused: (name, words) =>
      refused.reject(
        new StartError(
          `The ${name} cannot use its configuration or environment:\n${words}\nNothing runs now.`,
        ),
      ),
  });
  const capping = setInterval(() => void logs.cap().catch(() => {}), capLogsEveryMs);
  capping.unref();
  params.onStack({
    ...stack,
    withinMs: stopWithinMs + Math.max(0, drainMs - usualDrainMs),
    async stop() {
      if (drainMs > usualDrainMs)
        log(`The worker's jobs may take up to ${drainMs / 1000} s to end; once more ends them at once.`);
      clearInterval(capping);
      await stack.stop();
      await processes.destroy();
    },
  });
  const api: Api = { base: `http://127.0.0.1:${options.apiPort}`, key: await readKey(keyFile) };
  const waits = appNames.map((name, index) => {
    const port = index === 0 ? options.apiPort : options.healthPort + index - 1;
    return waitForApp({ name, port, signal });
  });
  await Promise.race([Promise.all(waits), refused.promise]);
  if (signal.aborted) return;
  const tookMs = Date.now() - begun();
  const link = await signInLink({ ...api, signal });
  log(banner({ options, keyFile, logDir: join(dataDir, 'logs'), tookMs, link }));
  if (options.demo) await showDemo({ api, options, signal });
}

/** When the user's wait began, in milliseconds since 1970: before an installation, where there was one. */
function begun(): number {
  return Number(process.env[startBegun]) || performance.timeOrigin;
}

async function waitForApp(params: { name: string; port: number; signal: AbortSignal }): Promise<void> {
  const { name, port, signal } = params;
  const base = `http://127.0.0.1:${port}`;
  const ready = await askUntil({
    everyMs: 50,
    timeoutMs: readyMs,
    signal,
    ask: async () => {
      const { status } = await callApi({ base, key: '', method: 'GET', path: '/readyz', signal });
      return status === 200 ? true : undefined;
    },
  });
  if (ready === undefined && !signal.aborted) {
    log(`${name} is not ready after ${readyMs / 1000} s; its log and ${base}/readyz say more.`);
  }
}

async function showDemo(params: { api: Api; options: StartOptions; signal: AbortSignal }): Promise<void> {
  const { api, options, signal } = params;
  const since = Date.now();
  const { problems } = await seedDemo({ ...api, dataDir: options.dataDir, apiPort: options.apiPort, signal });
  for (const problem of problems) log(`The demo could not be set up: ${problem}`);
  const run = await firstRun({ ...api, schedule: demoSchedule, since, timeoutMs: firstRunMs, signal });
  if (run !== undefined) log(firstRunLine(demoSchedule, run));
  else if (!signal.aborted)
    log(`No job of the schedule ${demoSchedule} has succeeded within ${firstRunMs / 1000} s; see the logs.`);
}

async function main(): Promise<number> {
  const from = process.env['INIT_CWD'] ?? process.cwd();
  const args = process.argv.slice(2);
  if (asksForHelp(args)) {
    console.log(usage);
    return 0;
  }
  const options = parseStart({ args, root, from });
  await untilStopped({ log, begin: (signal, onStack) => bringUp({ options, signal, onStack }) });
  return 0;
}

try {
  process.exit(await main());
} catch (error) {
  console.error(inWords(error));
  process.exit(1);
}
