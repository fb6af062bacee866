import { randomBytes } from 'node:crypto';

const given = new Set<string>();

/**
 * A namespace that nobody else uses, so that test files share one nats-server. Its streams are removed when the file
 * has ended: each that stays costs the server of the run some work ten times a second.
 */
export function testNamespace(): string {
  const namespace = `t${randomBytes(6).toString('hex')}`;
  given.add(namespace);
  return namespace;
}

/** Removes the streams of all namespaces that this file was given. */
export async function removeNamespaces(): Promise<void> {
  if (given.size === 0) return;
  // Every file comes by here, and most need none of this.
  const { rawJetStream } = await import('./raw-jetstream.ts');
  const js = await rawJetStream(process.env['JETBEAT_TEST_NATS_URL'] ?? '');
  const isGiven = (stream: string) => given.has(stream.replace(/^KV_/, '').split('_')[0] ?? '');
  try {
    for (const stream of (await js.streams()).filter(isGiven)) await js.removeStream(stream);
  } finally {
    await js.close();
  }
  given.clear();
}
