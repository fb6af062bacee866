import type { Issue } from '../errors.ts';
import { fieldsOf, readDuration } from '../read-fields.ts';
import type { TimeLimits } from './policy.ts';

/** Time limits as people write them; `soft` is shorter than `hard`. */
export interface TimeoutInput {
  readonly soft?: string;
  readonly hard?: string;
}

/** Reads what one layer says about time limits; what is wrong joins `issues`. */
export function readTimeout(
  value: unknown,
  pointer: string,
  issues: Issue[],
): Partial<TimeLimits> | undefined {
  const fields = fieldsOf(value, ['soft', 'hard'], pointer, issues);
  if (!fields) return undefined;
  const soft = readDuration(fields['soft'], `${pointer}/soft`, issues, 1);
  const hard = readDuration(fields['hard'], `${pointer}/hard`, issues, 1);
  if (soft !== undefined && hard !== undefined && soft >= hard) {
    issues.push({
      pointer: `${pointer}/soft`,
      code: 'invalid_value',
      message: 'soft must be shorter than hard',
    });
  }
  return { ...(soft === undefined ? {} : { soft }), ...(hard === undefined ? {} : { hard }) };
}
