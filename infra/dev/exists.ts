import { access } from 'node:fs/promises';

/** True when there is such a file or folder. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
