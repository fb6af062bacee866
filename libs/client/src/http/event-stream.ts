/** One event of a stream (WHATWG HTML §9.2.6). */
export interface StreamEvent {
  /** The last id that was given, with this event or before it. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** What a stream says beside its events. */
export interface StreamNotes {
  /** Something has come, be it a comment. */
  alive(): void;
  /** From now on the stream is here, even where no event comes with it. */
  at(id: string): void;
  /** After how many milliseconds to come back. */
  retry(ms: number): void;
}

/** Characters of one line at most: what is longer is no stream of Jetbeat. */
const MOST = 16 * 1024 ** 2;

/**
 * Reads a stream of events to its end.
 * @throws RangeError for a line without an end; what the body throws
 */
export async function* readEventStream(
  body: ReadableStream<Uint8Array>,
  notes: StreamNotes,
): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const take = lineTaker(notes);
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      notes.alive();
      // A line may end with either or both; a CR at the end may be the first half of both.
      const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      if (rest.length > MOST) throw new RangeError(`a line of more than ${MOST} characters`);
      for (const line of lines) {
        const event = take(line);
        if (event) yield event;
      }
    }
  } finally {
    // Whoever reads no further lets the connection go.
    await reader.cancel().catch(() => {});
  }
}

/** Takes line by line; an empty one ends an event. One that has not ended when the stream has is none. */
function lineTaker(notes: StreamNotes): (line: string) => StreamEvent | undefined {
  let id = '';
  let type = '';
  let data: string[] = [];
  const set: Readonly<Record<string, (value: string) => unknown>> = {
    id: (value) => {
      if (!value.includes('\0')) id = value;
    },
    event: (value) => {
      type = value;
    },
    data: (value) => data.push(value),
    retry: (value) => /^\d{1,9}$/.test(value) && notes.retry(Number(value)),
  };
  const end = () => {
    const event = data.length === 0 ? undefined : { id, type: type || 'message', data: data.join('\n') };
    type = '';
    data = [];
    if (id !== '') notes.at(id);
    return event;
  };
  return (line) => {
    if (line === '') return end();
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (Object.hasOwn(set, name)) set[name]?.(value);
    return undefined;
  };
}
