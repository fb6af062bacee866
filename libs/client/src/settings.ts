import { JetbeatError, NO_SETTINGS, readSettings, type Settings, type SettingsInput } from '@jetbeat/core';
import { type Bus, type Log, watchSettings } from '@jetbeat/jetstream';

/** What the configuration says of tasks, as it is now. */
export interface CurrentSettings {
  readonly now: Settings;
  /** Resolves when it is known, or nobody tells it in time. */
  readonly begun: Promise<void>;
}

/** How long `connect` waits for the installation's settings, in milliseconds; later ones are followed all the same. */
const LOAD_MS = 1_000;

/**
 * Settings that the program gives itself.
 * @throws InvalidInputError naming every wrong place
 */
export function ownSettings(input: SettingsInput): CurrentSettings {
  return { now: readSettings(input, 'the settings of connect'), begun: Promise.resolve() };
}

/** Settings that the recorders publish; none while they publish none. What cannot be read leaves the ones before in force. */
export function watchedSettings(bus: Bus, log: Log): CurrentSettings {
  const current = { now: NO_SETTINGS };
  const onChange = (text: string | undefined) => {
    try {
      current.now = text === undefined ? NO_SETTINGS : readSettings(JSON.parse(text));
    } catch (error) {
      // A newer recorder may know more than this program.
      const err = error instanceof JetbeatError ? error : new Error('they are not JSON');
      log.warn({ err }, 'the published settings cannot be read; jobs go on as before');
    }
  };
  const watch = watchSettings(bus, onChange, { log });
  return {
    get now() {
      return current.now;
    },
    begun: watch.load(LOAD_MS),
  };
}
