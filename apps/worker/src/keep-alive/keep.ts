import type { Delivery } from '@jetbeat/jetstream';
import type { Held } from '../held.ts';
import type { KeepAlive } from './keep-alive.ts';

/**
 * Has the keep-alive thread extend what is held because of some deliveries, told of all at once.
 * @param isHeld whether a job was not let go again while the deliveries were taken: a worker that stops refuses at once
 * @param take says which job is held because of a delivery
 */
export function keep(
  keepAlive: Pick<KeepAlive, 'hold' | 'release'>,
  isHeld: (held: Held) => boolean,
  deliveries: readonly Delivery[],
  take: (delivery: Delivery) => Held | undefined,
): void {
  const taken: { held: Held; id: string; ackSubject: string }[] = [];
  for (const delivery of deliveries) {
    const held = take(delivery);
    if (held) taken.push({ held, id: held.job.id, ackSubject: delivery.ackSubject });
  }
  const first = keepAlive.hold(taken);
  for (const [place, { held }] of taken.entries()) {
    if (isHeld(held)) held.kept.push(first + place);
    else keepAlive.release(first + place);
  }
}
