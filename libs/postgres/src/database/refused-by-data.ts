import { UnfitValueError } from './errors.ts';

/**
 * SQLSTATE classes 22 (data exception), 23 (integrity constraint violation) and 54 (a limit of PostgreSQL, such as too deep a
 * nesting); PostgreSQL manual, appendix A.
 */
const DATA_CLASSES = /^(?:22|23|54)[0-9A-Z]{3}$/;

/** Whether PostgreSQL refused the values themselves, so that trying the same again can never help. */
export function isRefusedByData(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause ?? previous(at), depth++) {
    if (at instanceof UnfitValueError) return true;
    const { code } = at as { code?: unknown };
    if (typeof code === 'string' && DATA_CLASSES.test(code)) return true;
  }
  return false;
}

/** MikroORM keeps the driver's error here. */
function previous(error: Error): unknown {
  return (error as { previous?: unknown }).previous;
}
