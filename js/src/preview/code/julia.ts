import { juliaLine, juliaString, variableFor } from '../../shared/code';
import { shownColumns } from '../layout';
import type { Condition, IView } from '../query';
import type { IPreviewTable } from '../source';
import { columnType, IColumnType, juliaLiteral } from './literal';

/** Missing values come last either way, and NaN before them. */
const ORDER = `place(x) = ismissing(x) ? 2 : x isa AbstractFloat && isnan(x) ? 1 : 0
before(x, y) = place(x) == place(y) == 0 ? isless(x, y) : place(x) < place(y)
after(x, y) = place(x) == place(y) == 0 ? isless(y, x) : place(x) < place(y)`;

/** Code that needs only the standard library. */
export function juliaCode(table: IPreviewTable, view: IView): string {
  const frame = variableFor(table.name, 'julia');
  const body: string[] = [];
  const column = (index: number, name: string): string => {
    const isPlain = /^[A-Za-z_]\w*$/.test(name) && table.schema.filter(one => one.name === name).length === 1;
    return isPlain ? `${frame}.${name}` : `${frame}[${index + 1}]`;
  };
  for (const filter of view.filters) {
    const test = conditionCode(filter.condition, columnType(filter.type));
    body.push(
      test === null
        ? `# Left out: the filter of ${filter.name.replace(/\s+/g, ' ')}`
        : `filter!(let column = ${column(filter.column, filter.name)}; i -> (x = column[i]; ${test}) end, rows)`
    );
  }
  // The least important first: the sort is stable.
  for (const sort of [...view.sort].reverse()) {
    const lt = sort.descending ? 'after' : 'before';
    body.push(
      `sort!(rows; alg = MergeSort, lt = let column = ${column(sort.column, sort.name)}; (i, j) -> ${lt}(column[i], column[j]) end)`
    );
  }
  const shown = shownColumns(view.layout, table.schema);
  const isWhole = shown.length === table.schema.length && shown.every((one, place) => one === place);
  const names = shown.map(one => `Symbol(${juliaString(table.schema[one].name)})`);
  const chosen = isWhole ? '' : `{(${names.join(', ')},)}`;
  const code = body.join('\n');
  return (
    [
      `using ArrowSHM${/\bDate(Time)?\(/.test(code) ? ', Dates' : ''}`,
      '',
      ...(view.sort.length ? [ORDER, ''] : []),
      juliaLine(table.name),
      `rows = collect(1:size(${frame}, 1))`,
      ...body,
      chosen
        ? `${frame}_view = NamedTuple${chosen}(map(column -> column[rows], NamedTuple(${frame})))`
        : `${frame}_view = map(column -> column[rows], NamedTuple(${frame}))`
    ].join('\n') + '\n'
  );
}

/** A condition on `x`; `null` if it cannot be written. */
function conditionCode(condition: Condition, type: IColumnType): string | null {
  const x = type.family === 'timestamp' ? 'DateTime(x)' : 'x';
  switch (condition.kind) {
    case 'missing':
      return 'ismissing(x)';
    case 'present':
      return '!ismissing(x)';
    case 'text':
      return condition.ignoreCase
        ? `!ismissing(x) && occursin(${juliaString(condition.text.toLowerCase())}, lowercase(x))`
        : `!ismissing(x) && occursin(${juliaString(condition.text)}, x)`;
    case 'range': {
      const limits = ['!ismissing(x)'];
      for (const [operator, text] of [
        ['>=', condition.min],
        [condition.below ? '<' : '<=', condition.max]
      ]) {
        if (text === '') continue;
        const value = juliaLiteral(text, type);
        if (value === null) return null;
        limits.push(`${x} ${operator} ${value}`);
      }
      return limits.join(' && ');
    }
    case 'except': {
      const values = condition.values.map(choice => juliaLiteral(choice.value, type));
      return values.includes(null) ? null : `ismissing(x) || !(${x} in (${values.join(', ')},))`;
    }
    case 'values': {
      const values = condition.values.map(choice => juliaLiteral(choice.value, type));
      if (values.includes(null)) return null;
      const isIn = values.length ? `${x} in (${values.join(', ')},)` : 'false';
      return condition.missing ? `ismissing(x) || ${isIn}` : `!ismissing(x) && ${isIn}`;
    }
  }
}
