/**
 * How many levels of lists and objects a request or a message may have inside each other, its own outermost one included.
 * `JSON.parse` takes any number, but what is too deep cannot be written as JSON again by whoever handles it.
 */
export const MAX_NESTING = 32;

/** Whether a JSON value has more levels than `levels`; it looks no deeper than that. */
export function isTooDeep(value: unknown, levels = MAX_NESTING): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((inner) => isTooDeep(inner, levels - 1));
  // Every message goes through here: without a list of an object's values.
  for (const name in value) if (isTooDeep((value as Record<string, unknown>)[name], levels - 1)) return true;
  return false;
}
