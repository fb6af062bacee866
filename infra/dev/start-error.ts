/** Something that keeps the set-up from going on, in a message that says all a user needs; shown without a stack. */
export class StartError extends Error {
  readonly code = 'start_refused';
}

/** What to show of whatever ended a start: words where they suffice, everything where the cause is unknown. */
export function inWords(error: unknown): unknown {
  if (error instanceof StartError) return error.message;
  const { syscall, message } = error as NodeJS.ErrnoException;
  // The operating system refused: its message names the file, and often the folder belongs to another user.
  return syscall === undefined ? error : `Cannot go on: ${message}`;
}
