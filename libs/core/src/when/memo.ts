/**
 * Makes a function remember what it has answered. It is for pure functions alone, whose answer follows from the key, so that what
 * is remembered is no state that anybody could notice. What it throws is not remembered.
 * @param limit the most answers; when there are more, all are forgotten
 */
export function memo<Key, Answer>(make: (key: Key) => Answer, limit: number): (key: Key) => Answer {
  const known = new Map<Key, Answer>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make(key);
    if (known.size >= limit) known.clear();
    known.set(key, made);
    return made;
  };
}
