/** What somebody has written who takes a search for another language, and what to write instead. */
export interface Operator {
  readonly message: string;
  readonly suggestion?: string;
  /** Nothing else is to be said of the term. */
  readonly isAll: boolean;
}

const QUOTED = /"(?:\\[\s\S]|[^"\\])*"?/g;
const EITHER = 'alternatives stand behind one qualifier, parted by commas: state:dead,expired';
const ALL = 'all terms of a search must hold anyway: leave it out';
const NONE = 'a search leaves nothing out: name what is meant, such as queue:mail,sms';
const JOINERS: Readonly<Record<string, string>> = {
  or: EITHER,
  '|': EITHER,
  '||': EITHER,
  and: ALL,
  '&': ALL,
  '&&': ALL,
  '+': ALL,
  not: NONE,
  '-': NONE,
  '!': NONE,
};
/** What a name of a task and an id can have, and what stands for any characters. */
const WORD = /^[\w.*-]*$/;
const ASSIGNED = /^([a-z]{1,16}(?:\.[\w.-]{1,64})?)={1,2}([\w.,*-]{1,64})$/;
/** Behind the colon; a text such as `<anonymous>` is none. */
const COMPARED = /:(?:[<>]=?-?\d|-?\d[\d.:TZ-]*\.\.)/;
/** Letters of a term that are repeated. */
const MAX_SHOWN = 64;

/**
 * What in a term belongs to another language: it would be looked for as a text, and found nowhere. What stands in double quotes is a text.
 * @param term as it was written
 * @param isWord it has no qualifier
 */
export function operatorIn(term: string, isWord: boolean): Operator | undefined {
  const bare = term.replace(QUOTED, '""');
  const shown = term.slice(0, MAX_SHOWN);
  const refused = (why: string): Operator => ({
    message: `${JSON.stringify(shown)}: ${why}; what is meant as a text is put in double quotes`,
    isAll: true,
  });
  const joiner = Object.entries(JOINERS).find(([word]) => word === bare.toLowerCase());
  if (joiner) return refused(joiner[1]);
  if (/^[-!]|:!/.test(bare)) return refused(NONE);
  if (/^\(|:\(/.test(bare) || (bare.endsWith(')') && !bare.includes('(')))
    return refused(`a search has no parentheses: all terms must hold, and ${EITHER}`);
  if (COMPARED.test(bare))
    return {
      ...refused(
        'a search compares no numbers and times, it finds texts; for times there are `from` and `to`',
      ),
      isAll: false,
    };
  if (!isWord || WORD.test(bare.replaceAll('""', ''))) return undefined;
  const [, name, value] = ASSIGNED.exec(bare) ?? [];
  if (name !== undefined) {
    const suggestion = `${name}:${value}`;
    return { ...refused(`did you mean ${suggestion}?`), suggestion };
  }
  const where = 'a word is looked for in names of tasks and in ids, and none of these can have it';
  return refused(`${where}: error:… finds it in errors, input.<path>:… in inputs`);
}
