/**
 * Makes what finds the next time keep its last answer, since one mostly asks again from a little later: of many rules only the
 * one that has fired is searched anew, however rare the others are.
 */
export function remember(next: (after: number) => number | undefined): (after: number) => number | undefined {
  let asked = Number.POSITIVE_INFINITY;
  let answer = Number.NEGATIVE_INFINITY;
  return (after) => {
    if (after >= asked && after < answer) return answer;
    const found = next(after);
    if (found !== undefined) [asked, answer] = [after, found];
    return found;
  };
}
