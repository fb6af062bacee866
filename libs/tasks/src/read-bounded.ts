import type { Readable } from 'node:stream';

/** Reads at most `limit` bytes of UTF-8 text; what is no text becomes U+FFFD, NUL too, since PostgreSQL cannot keep it. */
export async function readBounded(body: Readable, limit: number): Promise<{ text: string; cut: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  let left = limit;
  for await (const chunk of body) {
    const bytes = chunk as Uint8Array;
    text += decoder.decode(bytes.subarray(0, left), { stream: true });
    left -= bytes.length;
    // Leaving the loop ends the stream, and with it the connection: nobody waits for the rest of an endless answer.
    if (left < 0) break;
  }
  // A character that the cut went through is left out.
  if (left >= 0) text += decoder.decode();
  return { text: text.replaceAll('\0', '\uFFFD'), cut: left < 0 };
}
