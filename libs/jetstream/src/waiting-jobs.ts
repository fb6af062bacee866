import { type Bus, inside } from './bus.ts';
import { manage } from './manage.ts';
import { inNamespace, parseSubject, streamName } from './names.ts';

/**
 * Ids of all jobs that wait in JOBS for their time, or are parked; one that is both comes twice.
 * @throws JetStreamCallError, BusClosedError
 */
export async function waitingJobs(bus: Bus): Promise<string[]> {
  const inner = inside(bus);
  const ids: string[] = [];
  for (const filter of ['timers.*', 'parked.>']) {
    const subjects = await manage(inner, `the subjects ${filter}`, async (jsm) => {
      const info = await jsm.streams.info(streamName(inner, 'JOBS'), {
        subjects_filter: inNamespace(inner, filter),
      });
      return Object.keys(info.state.subjects ?? {});
    });
    for (const subject of subjects) {
      const parsed = parseSubject(inner, subject);
      if (parsed?.kind === 'timer' || parsed?.kind === 'parked') ids.push(parsed.id);
    }
  }
  return ids;
}
