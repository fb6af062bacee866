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
/** Whose values are names, and what these can have; all other values are texts of any kind. */
const NAMES: Readonly<Record<string, RegExp>> = {
  state: WORD,
  queue: WORD,
  task: WORD,
  schedule: /^[\w.*/-]*$/,
  reason: WORD,
};
/** In errors names stand in single quotes. */
const IN_SINGLE = /^'([^']+)'$/;
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
  if (!isWord) {
    const said = inValues(bare, term);
    if (!said) return undefined;
    const { why, suggestion } = said;
    return { ...refused(why), ...(suggestion === undefined ? {} : { suggestion }) };
  }
  if (WORD.test(bare.replaceAll('""', ''))) return undefined;
  const [, name, value] = ASSIGNED.exec(bare) ?? [];
  if (name !== undefined) {
    const suggestion = `${name}:${value}`;
    return { ...refused(`did you mean ${suggestion}?`), suggestion };
  }
  const where = 'a word is looked for in names of tasks and in ids, and none of these can have it';
  return refused(`${where}: error:… finds it in errors, input.<path>:… in inputs`);
}

/** What in the values of a qualifier belongs to another language. Of names it is what no name has, of other texts only what is hardly one. */
function inValues(bare: string, term: string): { why: string; suggestion?: string } | undefined {
  const colon = bare.indexOf(':');
  const head = bare.slice(0, colon);
  const values = bare.slice(colon + 1).split(',');
  const meaning = (found: readonly string[]) => {
    const suggestion = `${head}:${found.join(',')}`;
    const isClear = bare === term && suggestion.length <= MAX_SHOWN && !found.some((value) => value === '');
    return isClear ? { why: `did you mean ${suggestion}?`, suggestion } : { why: EITHER };
  };
  if (values.slice(1).some((value) => value.startsWith(`${head}:`)))
    return meaning(
      values.map((value) => (value.startsWith(`${head}:`) ? value.slice(head.length + 1) : value)),
    );
  if (head !== 'error' && values.some((value) => IN_SINGLE.test(value)))
    return meaning(values.map((value) => value.replace(IN_SINGLE, '$1')));
  const known = Object.hasOwn(NAMES, head) ? NAMES[head] : undefined;
  const names = values.map((value) => value.replaceAll('""', ''));
  if (!known) return undefined;
  if (names.some((value) => value.startsWith('-'))) return { why: NONE };
  const odd = names.find((value) => !known.test(value));
  if (odd === undefined) return undefined;
  const parted = values.flatMap((value) => value.split(/[|;]+/));
  if (parted.length > values.length && parted.every((value) => known.test(value))) return meaning(parted);
  const hint = /[%?]/.test(odd) ? ', and * stands for any characters' : '';
  return { why: `no ${head} can have this in its name${hint}; ${EITHER}` };
}
