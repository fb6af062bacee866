import { Kvm } from '@nats-io/kv';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { JetStreamCallError } from '../connection/errors.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { bucketName } from '../streams/names.ts';

/** Settings that every process is told in the bucket `limits`, as `<kind>.<name>`. */
export interface ToldKind<T extends Versioned> {
  readonly kind: 'queue' | 'task';
  /** Equal settings are equal texts. */
  readonly encode: (settings: T) => string;
  /** Undefined for what this version cannot read. */
  readonly decode: (text: string) => T | undefined;
}

/** It rises with every change. */
export interface Versioned {
  readonly version: number;
}

/** What a message of the bucket says; undefined for one that this version cannot read. */
export type Told<T> = { readonly settings: T | undefined } | undefined;

/** Settings as they are stored, and at which place of the bucket. */
interface StoredTold<T> {
  readonly name: string;
  readonly told: Told<T>;
  readonly seq: number;
}

/** Conflicts with others who write the same key at the same time. */
const MAX_TRIES = 10;
const decoder = new TextDecoder();

/** Below this they are told. */
export function toldPrefix(bus: BusConnection, { kind }: Pick<ToldKind<never>, 'kind'>): string {
  return `$KV.${bucketName(bus, 'limits')}.${kind}.`;
}

/**
 * Tells every process what holds now, unless something newer is told already (by `version`).
 * @throws JetStreamCallError, BusClosedError
 */
export async function putTold<T extends Versioned>(
  bus: Bus,
  kind: ToldKind<T>,
  name: string,
  settings: T,
): Promise<void> {
  const inner = inside(bus);
  const text = kind.encode(settings);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const found = await read(inner, kind, { last_by_subj: `${toldPrefix(inner, kind)}${name}` });
    const newest = found?.told?.settings;
    if (newest && (newest.version > settings.version || kind.encode(newest) === text)) return;
    if (await write(inner, kind, { name, text, seq: found?.seq ?? 0 })) return;
  }
  const what = `the settings of ${kind.kind} ${name}`;
  throw new JetStreamCallError(`${what}: somebody else was faster ${MAX_TRIES} times`);
}

/**
 * Says that nothing holds any more; where somebody else says something else at this moment that stays, and is mended.
 * @throws JetStreamCallError, BusClosedError
 */
export async function removeTold<T extends Versioned>(
  bus: Bus,
  kind: ToldKind<T>,
  name: string,
): Promise<void> {
  const inner = inside(bus);
  const found = await read(inner, kind, { last_by_subj: `${toldPrefix(inner, kind)}${name}` });
  if (found?.told?.settings) await write(inner, kind, { name, text: undefined, seq: found.seq });
}

/**
 * Makes what is told agree with the truth, whatever happened to either.
 * @param truth all settings by name; it is asked after what is told was read, so that what was told in between is not undone
 * @returns the names whose settings were told anew or removed
 * @throws JetStreamCallError, BusClosedError, and what `truth` throws
 */
export async function mendTold<T extends Versioned>(
  bus: Bus,
  kind: ToldKind<T>,
  truth: () => Promise<ReadonlyMap<string, T>>,
): Promise<string[]> {
  const inner = inside(bus);
  const told = new Map<string, StoredTold<T>>();
  for (let from = 1; ; ) {
    const next = await nextTold(inner, kind, from);
    if (!next) break;
    told.set(next.name, next);
    from = next.seq + 1;
  }
  const wanted = await truth();
  const mended: string[] = [];
  for (const name of new Set([...wanted.keys(), ...told.keys()])) {
    const right = wanted.get(name);
    const found = told.get(name);
    const text = right && kind.encode(right);
    // What cannot be read and what was removed are alike here: both are replaced only by something.
    if (text === (found?.told?.settings && kind.encode(found.told.settings))) continue;
    if (await write(inner, kind, { name, text, seq: found?.seq ?? 0 })) mended.push(name);
  }
  return mended;
}

/** The first settings at or after this place of the bucket; undefined when there are none. Read at the leader. */
export function nextTold<T extends Versioned>(
  bus: BusConnection,
  kind: ToldKind<T>,
  from: number,
): Promise<StoredTold<T> | undefined> {
  return read(bus, kind, { seq: from, next_by_subj: `${toldPrefix(bus, kind)}>` });
}

async function read<T extends Versioned>(
  bus: BusConnection,
  kind: ToldKind<T>,
  query: { last_by_subj: string } | { seq: number; next_by_subj: string },
): Promise<StoredTold<T> | undefined> {
  return manage(bus, `reading the settings of ${kind.kind}s`, async (jsm) => {
    try {
      const found = await jsm.streams.getMessage(`KV_${bucketName(bus, 'limits')}`, query);
      if (!found) return undefined;
      const name = found.subject.slice(toldPrefix(bus, kind).length);
      return { name, told: readTold(kind, found.data, found.header?.get('KV-Operation')), seq: found.seq };
    } catch (error) {
      if (isApiError(error, API.noMessage, API.streamNotFound)) return undefined;
      throw error;
    }
  });
}

/** Reads a message of the bucket; with an operation it says that nothing holds any more. */
export function readTold<T extends Versioned>(
  kind: ToldKind<T>,
  data: Uint8Array,
  operation: string | undefined,
): Told<T> {
  if (operation) return { settings: undefined };
  const settings = kind.decode(decoder.decode(data));
  return settings && { settings };
}

/** False when somebody else has written it in between. */
async function write(
  bus: BusConnection,
  { kind }: Pick<ToldKind<never>, 'kind'>,
  { name, text, seq }: { name: string; text: string | undefined; seq: number },
): Promise<boolean> {
  const key = `${kind}.${name}`;
  return manage(bus, `the settings of ${kind} ${name}`, async () => {
    const kv = await new Kvm(bus.nc).open(bucketName(bus, 'limits'), {
      bindOnly: true,
      allow_direct: false,
    });
    try {
      if (text === undefined) await kv.delete(key, { previousSeq: seq });
      else await kv.put(key, text, { previousSeq: seq });
      return true;
    } catch (error) {
      if (isApiError(error, API.wrongLastSequence, API.wrongLastSequenceUnknown)) return false;
      throw error;
    }
  });
}
