const FORM = /^(?=.{1,128}$)[A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+)*$/;

/**
 * Whether `text` may be a pattern of task names: the name of one, in which `*` stands for any characters, also none and
 * also dots.
 */
export function isGlob(text: string): boolean {
  return FORM.test(text);
}

/** Whether the whole of `name` fits `glob`. The work is bounded by the product of both lengths, whatever they are. */
export function matchesGlob(glob: string, name: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let taken = 0;
  while (from < name.length) {
    if (glob[at] === '*') {
      star = at++;
      taken = from;
    } else if (glob[at] === name[from]) {
      at++;
      from++;
    } else if (star >= 0) {
      // The last star takes one character more.
      at = star + 1;
      from = ++taken;
    } else {
      return false;
    }
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
}
