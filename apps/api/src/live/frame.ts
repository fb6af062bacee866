/**
 * One event as a stream of events has it (WHATWG HTML §9.2). The data is JSON, which has no line breaks, and the rest has names and
 * numbers of ours: nothing that a caller can choose ends a line.
 */
export function frame(event: { readonly id: string; readonly type: string; readonly data: unknown }): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`;
}

/** Says where the stream is, so that whoever comes back goes on from there. It is no event: nothing is dispatched. */
export function placeFrame(id: string): string {
  return `: here\nid: ${id}\n\n`;
}

/** The beginning of a stream: after how many milliseconds a client should come back. */
export function retryFrame(ms: number): string {
  return `retry: ${ms}\n\n`;
}
