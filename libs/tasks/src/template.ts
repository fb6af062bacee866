import { Reject } from '@jetbeat/task';

/** What may stand for a placeholder. */
export type TemplateData = Readonly<Record<string, string | number | boolean>>;

/** Longest text that a template may come to, characters. */
const MAX_FILLED = 1_048_576;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Writes a value so that it stays a value in HTML text and in quoted attributes. */
export function escapeHtml(value: string): string {
  return value.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
}

/**
 * Puts data in the place of every `{{name}}`. Templates are data: there is nothing else in them than names, and what a
 * value says is not read again.
 * @throws OnPurposeError (rejected) naming a placeholder for which there is no value, or when the text gets too long
 */
export function fill(params: {
  readonly template: string;
  readonly data: TemplateData;
  /** What the text is, for messages. */
  readonly place: string;
  readonly escapeValue?: (value: string) => string;
}): string {
  const { template, data, place, escapeValue = (value) => value } = params;
  let length = template.length;
  return template.replaceAll(/\{\{([^{}]{0,200})\}\}/g, (_whole, inner: string) => {
    const name = inner.trim();
    const value = Object.hasOwn(data, name) ? data[name] : undefined;
    if (value === undefined)
      throw Reject(`${place} has the placeholder ${JSON.stringify(name)}, and data has no value for it`, {
        code: 'unknown_placeholder',
      });
    const text = escapeValue(String(value));
    length += text.length;
    if (length > MAX_FILLED)
      throw Reject(`${place} gets longer than ${MAX_FILLED} characters`, { code: 'email_too_large' });
    return text;
  });
}
