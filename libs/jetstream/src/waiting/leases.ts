import { randomBytes } from 'node:crypto';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { HEADERS, toClientHeaders } from '../streams/headers.ts';
import { bucketName } from '../streams/names.ts';

/** Says that a worker lives; slots are held under its name. */
export interface Lease {
  /** `<worker>.<token>`: who takes one anew gets another name, so that nobody takes it for the old one. */
  readonly name: string;
  /** False when it is gone for good. Throws nothing: without an answer it is neither kept nor gone. */
  renew(): Promise<boolean | undefined>;
  /** Gives it up at once. Throws nothing. */
  end(): Promise<void>;
}

const LEAST_TTL_MS = 3_000;
const MOST_TTL_MS = 10_000;
const decoder = new TextDecoder();

/** After how long without a renewal a lease is gone, in milliseconds: sooner than a job of a dead worker is handed out again. */
export function leaseTtlMs(ackWaitMs: number): number {
  return Math.min(MOST_TTL_MS, Math.max(LEAST_TTL_MS, Math.floor(ackWaitMs / 3)));
}

/**
 * Takes a lease.
 * @param worker its id: letters, digits, `_` and `-`
 * @throws JetStreamCallError, BusClosedError
 */
export async function takeLease(bus: Bus, worker: string): Promise<Lease> {
  const inner = inside(bus);
  const token = randomBytes(6).toString('hex');
  let seq = await manage(inner, 'taking a lease', () => put(inner, worker, token));
  return {
    name: `${worker}.${token}`,
    async renew() {
      try {
        const renewed = await put(inner, worker, token, seq);
        if (renewed !== 0) {
          seq = renewed;
          return true;
        }
        // A killed server forgets the last renewals, or the taking itself; nobody else writes here.
        const found = await readLease(inner, worker);
        if (found && found.token !== token) return false;
        const again = await put(inner, worker, token, found?.seq ?? 0);
        if (again === 0) return undefined;
        seq = again;
        return true;
      } catch {
        return undefined;
      }
    },
    async end() {
      const filter = subjectOf(inner, worker);
      await manage(inner, 'ending a lease', (jsm) => jsm.streams.purge(streamOf(inner), { filter })).catch(
        () => {},
      );
    },
  };
}

/** Tells which leases are gone. */
export interface LeaseWatch {
  /**
   * Those among these names that are gone. One that is not there counts as gone only after it was missed twice, so long
   * apart that a worker whose lease a killed server has forgotten could have taken it up again.
   * @throws JetStreamCallError, BusClosedError
   */
  gone(names: readonly string[]): Promise<ReadonlySet<string>>;
}

/** What was missed so long ago says nothing, milliseconds. */
const STALE_MS = 60_000;

/**
 * @param params.ttlMs see `leaseTtlMs`
 * @param params.onGone called once for each that is found to be gone: slots may be free that nobody has given back
 */
export function createLeaseWatch(
  bus: Bus,
  params: { readonly ttlMs: number; readonly onGone?: (name: string) => void },
): LeaseWatch {
  const inner = inside(bus);
  const confirmMs = params.ttlMs / 3;
  /** Name -> when it was missed first and last, by `performance.now()`. */
  const missed = new Map<string, { since: number; at: number; told?: true }>();
  bus.onReconnect(() => missed.clear());
  const isGone = async (name: string): Promise<boolean> => {
    const dot = name.lastIndexOf('.');
    const found = await readLease(inner, name.slice(0, dot));
    const now = performance.now();
    if (found?.token === name.slice(dot + 1)) {
      missed.delete(name);
      return false;
    }
    // Whoever has a new one holds nothing under the old one any more.
    if (found) return true;
    const known = missed.get(name);
    if (known && now - known.at < STALE_MS) known.at = now;
    else missed.set(name, { since: now, at: now });
    if (known === undefined || now - known.since < confirmMs) return false;
    if (!known.told) params.onGone?.(name);
    known.told = true;
    return true;
  };
  return {
    async gone(names) {
      for (const [name, { at }] of missed) if (performance.now() - at > STALE_MS) missed.delete(name);
      const answers = await Promise.all(names.map(isGone));
      return new Set(names.filter((_, index) => answers[index]));
    },
  };
}

/** Returns the new sequence; 0 when the lease is not the one that was expected. Without `expected` it replaces whatever is there. */
async function put(bus: BusConnection, worker: string, token: string, expected?: number): Promise<number> {
  const headers =
    expected === undefined
      ? {}
      : { headers: toClientHeaders([[HEADERS.expectedRevision, String(expected)]]) };
  const data = Buffer.from(token);
  const timeoutMs = bus.callTimeoutMs;
  const reply = await bus.replies.send({ subject: subjectOf(bus, worker), data, ...headers, timeoutMs });
  if (reply.kind !== 'message') throw new Error(`no answer from JetStream (${reply.kind})`);
  const answer = JSON.parse(decoder.decode(reply.data)) as {
    seq?: number;
    error?: { err_code?: number; description?: string };
  };
  const code = answer.error?.err_code;
  if (code === API.wrongLastSequence || code === API.wrongLastSequenceUnknown) return 0;
  if (!answer.seq) throw new Error(answer.error?.description ?? 'JetStream did not store a lease');
  return answer.seq;
}

async function readLease(
  bus: BusConnection,
  worker: string,
): Promise<{ readonly token: string; readonly seq: number } | undefined> {
  return manage(bus, 'reading a lease', async (jsm) => {
    try {
      const found = await jsm.streams.getMessage(streamOf(bus), { last_by_subj: subjectOf(bus, worker) });
      return found ? { token: decoder.decode(found.data), seq: found.seq } : undefined;
    } catch (error) {
      if (isApiError(error, API.noMessage)) return undefined;
      throw error;
    }
  });
}

function streamOf(bus: BusConnection): string {
  return `KV_${bucketName(bus, 'leases')}`;
}

function subjectOf(bus: BusConnection, worker: string): string {
  return `$KV.${bucketName(bus, 'leases')}.w.${worker}`;
}
