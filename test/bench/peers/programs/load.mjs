import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Loads a package from the folder into which the peers were installed (`PEERS_DIR`): they are no part of the workspace,
 * so a plain import would not find them.
 */
export function load(name) {
  const dir = process.env.PEERS_DIR;
  if (dir === undefined) throw new Error('PEERS_DIR is not set: start this through runPeers');
  return import(pathToFileURL(createRequire(join(dir, 'package.json')).resolve(name)).href);
}
