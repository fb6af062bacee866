/** Whether one of the wanted settings is another one now; settings that we do not name belong to the operator. */
export function differs(wanted: object, found: object): boolean {
  const now = found as Record<string, unknown>;
  return Object.entries(wanted).some(
    ([key, value]) => JSON.stringify(now[key] ?? absent(value)) !== JSON.stringify(value),
  );
}

/** How the server leaves out a value that is the zero of its kind. */
function absent(value: unknown): unknown {
  if (typeof value === 'boolean') return false;
  return typeof value === 'number' ? 0 : undefined;
}
