import { join } from 'node:path';
import { natsVersion, type Source } from './nats-version.ts';
import { lastLine, run } from './run.ts';

/** Builds it with the Go of this machine; Go checks the source against its own sum database. About 30 s. */
export const fromGo: Source = async ({ dir, log, signal }) => {
  const go = await run({ command: 'go', args: ['version'], timeoutMs: 10_000 });
  if (go.code !== 0) return { why: 'Go is not installed' };
  log(`nats-server: building ${natsVersion} with Go, which takes about half a minute …`);
  const build = await run({
    command: 'go',
    args: ['install', `github.com/nats-io/nats-server/v2@v${natsVersion}`],
    cwd: dir,
    timeoutMs: 600_000,
    signal,
    env: { ...process.env, GOBIN: dir, GOFLAGS: '', CGO_ENABLED: '0' },
  });
  return build.code === 0 ? { path: join(dir, 'nats-server') } : { why: `go install: ${lastLine(build)}` };
};
