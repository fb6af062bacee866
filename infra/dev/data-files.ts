import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from './exists.ts';

/**
 * The file with the first admin key (mode 0600), made when it is missing: `jb_<12 hex: its id>_<secret of 256 bits>`.
 * The API takes the key over into its table at start; the table holds only a hash.
 */
export async function adminKeyFile(dataDir: string): Promise<string> {
  const file = join(dataDir, 'admin.key');
  const key = `jb_${randomBytes(6).toString('hex')}_${randomBytes(32).toString('base64url')}`;
  await writeUnlessThere(file, `${key}\n`);
  return file;
}

const embeddedSettings = `# Written at the first start for the embedded default; edit it, or put a jetbeat.yaml of your own beside package.json.
http:
  # The task http.request may call programs on this machine. That is the embedded default only: it is a development
  # set-up on loopback, and the demo calls its own API. Elsewhere nothing is allowed that is not named in allowHosts.
  allowLoopback: true
  allowHosts: []
`;

/** The configuration file of this start: the user's own in the checkout, else the embedded default in the data folder. */
export async function settingsFile(params: { root: string; dataDir: string }): Promise<string> {
  const own = join(params.root, 'jetbeat.yaml');
  if (await exists(own)) return own;
  const file = join(params.dataDir, 'jetbeat.yaml');
  await writeUnlessThere(file, embeddedSettings);
  return file;
}

/** The key in the file. */
export async function readKey(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim();
}

async function writeUnlessThere(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
