import { execFile } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const VERSION = '0.4.0';
const run = promisify(execFile);

/**
 * The real `nats` command, as operators use it; built with Go into the checkout's cache, about a minute once.
 * @throws when Go or the sources cannot be had: then this test fails and says so
 */
export async function natsCli(): Promise<(server: string, ...args: string[]) => Promise<string>> {
  const dir = resolve(import.meta.dirname, '../../.jetbeat/cache/nats-cli', VERSION);
  const bin = join(dir, 'nats');
  const built = await access(bin).then(
    () => true,
    () => false,
  );
  if (!built) await build(dir, bin);
  return async (server, ...args) => {
    const { stdout } = await run(bin, ['--server', server, ...args], {
      timeout: 20_000,
      maxBuffer: 16 * 1024 ** 2,
      // Without the contexts of whoever runs this.
      env: { ...process.env, XDG_CONFIG_HOME: dir },
    });
    return stdout;
  };
}

/** A module of its own around the command: `go install` of a version asks for a list that not every proxy has. */
async function build(dir: string, bin: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const module = `module build\n\ngo 1.25\n\nrequire github.com/nats-io/natscli v${VERSION}\n`;
  await writeFile(join(dir, 'go.mod'), module);
  const args = ['build', '-mod=mod', '-o', bin, 'github.com/nats-io/natscli/nats'];
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' };
  await run('go', args, { cwd: dir, env, timeout: 600_000 }).catch((cause: unknown) => {
    throw new Error(
      `the nats command ${VERSION} cannot be had: install Go 1.25 or newer, with a module proxy`,
      { cause },
    );
  });
}
