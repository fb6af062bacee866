const BACKSLASH = 92;
const COLON = 58;

/** How many keys a JSON text has, all objects together, each as often as it is written. */
export function countKeys(text: string): number {
  let keys = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    at = endOfString(text, at);
    if (isKey(text, at)) keys += 1;
  }
  return keys;
}

/**
 * How many keys a value that was read from JSON has: fewer than its text where one of them stood there twice. Not a number where it
 * has more than `levels` levels.
 */
export function countOwnKeys(value: unknown, levels: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (levels === 0) return Number.NaN;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const inner of value) if (typeof inner === 'object') keys += countOwnKeys(inner, levels - 1);
    return keys;
  }
  for (const name in value) {
    const inner = (value as Record<string, unknown>)[name];
    keys += typeof inner === 'object' ? 1 + countOwnKeys(inner, levels - 1) : 1;
  }
  return keys;
}

/** The first key that an object of a valid JSON text has twice. */
export function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '{') open.push(new Set());
    else if (char === '[') open.push(undefined);
    else if (char === '}' || char === ']') open.pop();
    else if (char === '"') {
      const end = endOfString(text, at);
      const names = open.at(-1);
      if (names && isKey(text, end)) {
        const name = String(JSON.parse(text.slice(at, end)));
        if (names.has(name)) return name;
        names.add(name);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** In valid JSON only a key is followed by a colon. */
function isKey(text: string, end: number): boolean {
  let at = end;
  while (text.charCodeAt(at) <= 32) at++;
  return text.charCodeAt(at) === COLON;
}

function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((quote - before) % 2 === 1) return quote + 1;
  }
  return text.length;
}
