import { rLine, rString, variableFor } from '../../shared/code';
import { shownColumns } from '../layout';
import type { Condition, IView } from '../query';
import type { IPreviewTable } from '../source';
import { columnType, IColumnType, rLiteral } from './literal';

/** Code that needs only base R. */
export function rCode(table: IPreviewTable, view: IView): string {
  const frame = variableFor(table.name, 'r');
  const column = (index: number, name: string): string => {
    const isOnly = table.schema.filter(one => one.name === name).length === 1;
    return `${frame}[[${isOnly ? rString(name) : index + 1}]][rows]`;
  };
  const body: string[] = [];
  for (const filter of view.filters) {
    const test = conditionCode(filter.condition, columnType(filter.type));
    body.push(
      test === null
        ? `# Left out: the filter of ${filter.name.replace(/\s+/g, ' ')}`
        : `rows <- local({ x <- ${column(filter.column, filter.name)}; rows[which(${test})] })`
    );
  }
  // The least important first: the sort is stable. Missing values come last either way, and NaN before them.
  for (const sort of [...view.sort].reverse()) {
    const { family, isDictionary } = columnType(table.schema[sort.column].type);
    const values = family === 'text' || isDictionary ? 'as.character(x)' : 'x';
    const last = family === 'float' ? 'is.na(x) & !is.nan(x), is.nan(x)' : 'is.na(x)';
    const decreasing = [...last.split(', ').map(() => 'FALSE'), sort.descending ? 'TRUE' : 'FALSE'].join(', ');
    body.push(
      `rows <- local({ x <- ${column(sort.column, sort.name)}; ` +
        `rows[order(${last}, ${values}, decreasing = c(${decreasing}), method = "radix")] })`
    );
  }
  const shown = shownColumns(view.layout, table.schema);
  const isWhole = shown.length === table.schema.length && shown.every((one, place) => one === place);
  const columns = isWhole ? '' : `c(${shown.map(one => one + 1).join(', ')})`;
  return (
    [
      'library(arrowshm)',
      '',
      rLine(table.name),
      `rows <- seq_len(nrow(${frame}))`,
      ...body,
      `${frame}_view <- ${frame}[rows, ${columns}, drop = FALSE]`
    ].join('\n') + '\n'
  );
}

/** A condition on the vector `x`; `null` if it cannot be written. */
function conditionCode(condition: Condition, type: IColumnType): string | null {
  const isMissing = type.family === 'float' ? '(is.na(x) & !is.nan(x))' : 'is.na(x)';
  if (type.family === 'binary' || type.family === 'other') return null;
  switch (condition.kind) {
    case 'missing':
      return isMissing;
    case 'present':
      return `!${isMissing}`;
    case 'text':
      return condition.ignoreCase
        ? `grepl(${rString(condition.text.toLowerCase())}, tolower(x), fixed = TRUE)`
        : `grepl(${rString(condition.text)}, x, fixed = TRUE)`;
    case 'range': {
      // R compares texts as the locale sorts them.
      if (type.family === 'text') return null;
      const limits: string[] = [];
      for (const [operator, text] of [
        ['>=', condition.min],
        [condition.below ? '<' : '<=', condition.max]
      ]) {
        if (text === '') continue;
        const value = rLiteral(text, type);
        if (value === null) return null;
        limits.push(`x ${operator} ${value}`);
      }
      return limits.length ? limits.join(' & ') : `!${isMissing}`;
    }
    case 'except': {
      const values = condition.values.map(choice => rLiteral(choice.value, type));
      return values.includes(null) ? null : `is.na(x) | !(${values.map(value => `x == ${value}`).join(' | ')})`;
    }
    case 'values': {
      const values = condition.values.map(choice => rLiteral(choice.value, type));
      if (values.includes(null)) return null;
      const tests = [...(condition.missing ? [isMissing] : []), ...values.map(value => `x == ${value}`)];
      return tests.length ? tests.join(' | ') : 'FALSE';
    }
  }
}
