import type { Readings } from './reading.ts';

interface Fill {
  readonly used: number;
  readonly limit?: number;
}

/** How full JetStream's files and EVENTS are, in bytes, and whether new jobs are refused for it. */
export function storageReadings(params: {
  figures: { readonly store: Fill; readonly events: Fill };
  refusing: boolean;
}): Readings {
  const { figures, refusing } = params;
  const places = Object.entries(figures).filter(([place]) => place === 'store' || place === 'events');
  return {
    jetbeat_storage_used_bytes: places.map(([place, { used }]) => ({ labels: { place }, value: used })),
    jetbeat_storage_limit_bytes: places.flatMap(([place, { limit }]) =>
      limit === undefined ? [] : [{ labels: { place }, value: limit }],
    ),
    jetbeat_storage_refusing: refusing ? 1 : 0,
  };
}
