/**
 * The code that attaches a table in a kernel that has not loaded jupyter-arrowshm yet.
 *
 * tests/fixtures/attach-lines.json lists the lines; Python (`how_to_attach`) prints the same ones.
 */
import type { ITable } from './table';

/** The languages in which tables can be attached. */
export type Language = 'python' | 'julia' | 'r';

/** What is wanted of files; all, where nothing is said. */
export interface IPart {
  readonly columns?: readonly string[] | null;
  readonly where?: string;
}

type Loaded = Pick<ITable, 'name' | 'origin' | 'origin_columns' | 'origin_where'>;

/** What code attaches a table by: the files that it was loaded from, which load it again if need be, or its name. */
export function attachedBy({ name, origin, origin_columns: columns }: Loaded): string {
  // A comma ends a column's name in `--columns`; an empty list was too long to be told.
  const canBeSaid = !columns || (columns.length > 0 && !columns.some(column => column.includes(',')));
  return isAddress(origin) && canBeSaid ? origin : name;
}

/** The part of its files that the table is, where it is attached by them. */
export function partOf(table: Loaded): IPart {
  return attachedBy(table) === table.name ? {} : { columns: table.origin_columns, where: table.origin_where };
}

export function languageOf(name: string): Language | null {
  const found = name.toLowerCase();
  if (found === 'python' || found.startsWith('ipython')) return 'python';
  return found === 'julia' || found === 'r' ? found : null;
}

/** A whole cell. */
export function attachCell(name: string, language: Language, part: IPart = {}): string {
  return `${OPENING[language]}\n${attachLine(name, language, part)}`;
}

const OPENING: Record<Language, string> = { python: '%load_ext jupyter_arrowshm', julia: 'using ArrowSHM', r: 'library(arrowshm)' };

/** A whole cell that detaches the table again. */
export function detachCell(name: string, language: Language): string {
  if (language === 'julia') return `using ArrowSHM\n@detach ${variableFor(name, language)}`;
  if (language === 'r') return `library(arrowshm)\ndetach_table(${variableFor(name, language)})`;
  const word = isAddress(name) ? variableFor(name, language) : magicWord(name);
  return `%load_ext jupyter_arrowshm\n%detach ${word}`;
}

/** A line to copy into a notebook of that language. */
export function attachLine(name: string, language: Language, part: IPart = {}): string {
  return language === 'julia' ? juliaLine(name, part) : language === 'r' ? rLine(name, part) : magicLine(name, part);
}

/** A line that attaches a table of another place. */
export function placeLine(name: string, place: string, language: Language): string {
  const variable = variableFor(name, language);
  // Without the semicolon, a notebook would show the table.
  if (language === 'julia') return `${variable} = attach(${juliaString(name)}; from=${juliaString(place)});`;
  if (language === 'r') return `${variable} <- attach_table(${rString(name)}, from = ${rString(place)})`;
  return `${magicLine(name)} --from ${magicWord(place)}`;
}

/** A whole cell that does this. */
export function placeCell(name: string, place: string, language: Language): string {
  return `${OPENING[language]}\n${placeLine(name, place, language)}`;
}

/** For a Python notebook. */
export function magicLine(name: string, { columns, where }: IPart = {}): string {
  if (isAddress(name)) {
    const options = [columns ? ` --columns ${magicWord(columns.join(','))}` : '', where ? ` --where ${magicWord(where)}` : ''];
    return `%attach ${magicWord(name)}${options.join('')}`;
  }
  const variable = variableFor(name, 'python');
  return variable === name ? `%attach ${name}` : `%attach ${magicWord(name)} as ${variable}`;
}

/** For any Python. `to`: the kind of object that the table is attached as. */
export function pythonLine(name: string, to = 'source'): string {
  const options = to === 'pyarrow' ? '' : `, to=${pythonString(to)}`;
  return `${variableFor(name, 'python')} = shm.attach(${pythonString(name)}${options})`;
}

export function juliaLine(name: string, part: IPart = {}): string {
  const variable = variableFor(name, 'julia');
  const words = partWords(part, columns => `[${columns.map(juliaString).join(', ')}]`, juliaString);
  // In brackets: without them Julia takes `where` for its operator.
  if (words) return `@attach(${variable} = ${juliaString(name)}${words})`;
  return variable === name ? `@attach ${name}` : `@attach ${variable} = ${juliaString(name)}`;
}

export function rLine(name: string, part: IPart = {}): string {
  const words = partWords(part, columns => `c(${columns.map(rString).join(', ')})`, rString);
  return `${variableFor(name, 'r')} <- attach_table(${rString(name)}${words})`;
}

function partWords({ columns, where }: IPart, list: (columns: readonly string[]) => string, text: (text: string) => string): string {
  return (columns ? `, columns = ${list(columns)}` : '') + (where ? `, where = ${text(where)}` : '');
}

/**
 * The name itself if it is a valid identifier; else `trips_2013` for `trips-2013`, `class_` for `class`, and `trips` for
 * `./trips.parquet`.
 */
export function variableFor(name: string, language: Language): string {
  const { read, isOther, isStart, isReserved, first } = VARIABLES[language];
  const known = read(isAddress(name) ? stem(name) : name).replace(isOther, '_');
  // IPython keeps results in `_`, and Julia cannot read a variable of underscores alone.
  if (/^_+$/.test(known)) return 'table';
  const variable = isStart.test(known) ? known : `${first}${known}`;
  return isReserved.test(variable) ? `${variable}_` : variable;
}

export function pythonString(text: string): string {
  return JSON.stringify(text);
}

export function juliaString(text: string): string {
  return `"${text.replace(/[\\"$]/g, '\\$&')}"`;
}

export function rString(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

/** Whether this is a path or a URI: a table's name has no `/` in it. */
function isAddress(name: string): boolean {
  return name.includes('/');
}

/** `trips` of `s3://bucket/trips.parquet?region=x`. */
function stem(address: string): string {
  const last = address.split('?')[0].replace(/\/+$/, '').split('/').pop() ?? '';
  return last.replace(/^\.+/, '').split('.')[0] || 'table';
}

/** The name, quoted if `%attach` would take it for an option or for its own `as`, or substitute a variable for it. */
function magicWord(name: string): string {
  const isPlain = /^(?!-)[\w@%+=:,./-]+$/.test(name) && name !== 'as';
  if (isPlain || variableFor(name, 'python') === name) return name;
  return `'${name.replace(/'/g, `'"'"'`)}'`;
}

interface IVariables {
  /** The identifier that the language reads instead of this one. */
  readonly read: (name: string) => string;
  /** A character that no identifier can have, and marks on it or on an underscore. */
  readonly isOther: RegExp;
  readonly isStart: RegExp;
  readonly isReserved: RegExp;
  /** Comes before a name that cannot begin a variable. */
  readonly first: string;
}

const VARIABLES: Record<Language, IVariables> = {
  python: {
    read: name => name.normalize('NFKC'),
    isOther: /[^\p{XID_Continue}]\p{M}*|_\p{M}+/gu,
    isStart: /^[\p{XID_Start}_]/u,
    // The last two are built into Python, but are not keywords.
    isReserved: words(
      'False None True and as assert async await break class continue def del elif else except finally for from ' +
        'global if import in is lambda nonlocal not or pass raise return try while with yield __debug__ __builtins__'
    ),
    first: '_'
  },
  julia: {
    // Julia reads three letters as others; NFKC covers two of these, the micro sign and Planck's constant.
    read: name => name.normalize('NFKC').replace(/ɛ/g, 'ε'),
    isOther: /[^\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]\p{M}*|_\p{M}+/gu,
    isStart: /^[\p{L}\p{Nl}_]/u,
    // The last ones are not keywords, and cannot be assigned to either.
    isReserved: words(
      'baremodule begin break catch const continue do else elseif end export false finally for function global if ' +
        'import in isa let local macro module quote return struct true try using where while ' +
        'ccall eval include ARGS ArrowSHM Base Core Main'
    ),
    first: '_'
  },
  r: {
    read: name => name,
    // ASCII alone: which other letters R takes depends on its locale.
    isOther: /[^A-Za-z0-9_.]\p{M}*|_\p{M}+/gu,
    isStart: /^[A-Za-z]/,
    isReserved: words(
      'if else repeat while function for next break TRUE FALSE NULL Inf NaN NA NA_integer_ NA_real_ NA_complex_ ' +
        'NA_character_ in'
    ),
    first: 'x'
  }
};

function words(all: string): RegExp {
  return new RegExp(`^(${all.split(' ').join('|')})$`);
}
