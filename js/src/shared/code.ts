/** The code that attaches a table in a kernel that knows nothing of us yet. */

/** The languages in which tables can be attached. */
export type Language = 'python' | 'julia';

export function languageOf(name: string): Language | null {
  const found = name.toLowerCase();
  return found === 'python' || found.startsWith('ipython') ? 'python' : found === 'julia' ? 'julia' : null;
}

/** A whole cell. */
export function attachCell(name: string, language: Language): string {
  return cell(attachLine(name, language), language);
}

/** A whole cell that lets go of the table again. */
export function detachCell(name: string, language: Language): string {
  const variable = variableFor(name, language);
  if (language === 'julia') return cell(`@detach ${variable}`, language);
  return magicCanName(name) ? cell(`%detach ${shellWord(name)}`, language) : `del ${variable}`;
}

function cell(line: string, language: Language): string {
  if (language === 'julia') return `using ArrowSHM\n${line}`;
  return line.startsWith('%') ? `%load_ext jupyter_arrowshm\n${line}` : `import jupyter_arrowshm as shm\n${line}`;
}

/** The line alone. */
export function attachLine(name: string, language: Language): string {
  const variable = variableFor(name, language);
  if (language === 'julia') {
    return variable === name ? `@attach ${name}` : `@attach ${variable} = ${juliaString(name)}`;
  }
  if (!magicCanName(name)) return `${variable} = shm.attach(${pythonString(name)}, to="source")`;
  return variable === name ? `%attach ${name}` : `%attach ${shellWord(name)} as ${variable}`;
}

/** An identifier for a table's name: itself where it is one, `trips_2013` for `trips-2013`. */
export function variableFor(name: string, language: Language): string {
  let variable = name.replace(/[^\p{L}\p{Nd}_]/gu, '_');
  if (!/^[\p{L}_]/u.test(variable)) variable = `_${variable}`;
  // A Julia variable of underscores alone cannot be read.
  if (/^_+$/.test(variable)) variable = 'table';
  return RESERVED[language].has(variable) ? `${variable}_` : variable;
}

/** The magic would take these for an option, or for its own `as`; IPython puts variables in the place of $x and {x}. */
function magicCanName(name: string): boolean {
  return !name.startsWith('-') && name !== 'as' && !/[${}]/.test(name);
}

/** The magic's line is split as by a shell. */
function shellWord(text: string): string {
  return /^[\p{L}\p{N}_.,:=@%+~-]+$/u.test(text) ? text : `'${text.replace(/'/g, `'"'"'`)}'`;
}

export function pythonString(text: string): string {
  return JSON.stringify(text);
}

export function juliaString(text: string): string {
  return `"${text.replace(/[\\"$]/g, '\\$&')}"`;
}

const RESERVED: Record<Language, Set<string>> = {
  python: new Set(
    (
      'False None True and as assert async await break class continue def del elif else except finally for from ' +
      'global if import in is lambda nonlocal not or pass raise return try while with yield'
    ).split(' ')
  ),
  julia: new Set(
    (
      'baremodule begin break catch const continue do else elseif end export false finally for function global if ' +
      'import in isa let local macro module quote return struct true try using where while'
    ).split(' ')
  )
};
