import { pythonLine, pythonString, variableFor } from '../../shared/code';
import { shownColumns } from '../layout';
import type { Condition, IView } from '../query';
import type { IPreviewTable, Scalar } from '../source';
import { columnType, IColumnType, pythonLiteral } from './literal';

/** The code in pandas, polars and PyArrow. Every function returns code, or `null` where there is none. */
interface IDialect {
  readonly kind: 'pandas' | 'polars' | 'pyarrow';
  readonly imports: readonly string[];
  /** A column in a condition, read as plain values. */
  column(name: string, index: number | null, type: IColumnType, frame: string): string | null;
  isMissing(column: string): string;
  isPresent(column: string): string;
  isIn(column: string, values: string): string;
  contains(column: string, text: string, ignoreCase: boolean): string;
  filter(frame: string, condition: string): string;
  select(frame: string, names: string): string;
  /** Statements. */
  sort(frame: string, keys: readonly ISortKey[]): readonly string[];
}

interface ISortKey {
  readonly name: string;
  readonly type: IColumnType;
  readonly descending: boolean;
}

const py = pythonString;
const flag = (value: boolean): string => (value ? 'True' : 'False');

const PANDAS: IDialect = {
  kind: 'pandas',
  imports: ['import pandas as pd'],
  column: (name, index, type, frame) => {
    const column = index === null ? `${frame}[${py(name)}]` : `${frame}.iloc[:, ${index}]`;
    // Dates are Python objects there, which cannot be compared with None; nor can categories that have no order.
    if (type.family === 'date') return `pd.to_datetime(${column})`;
    return type.isDictionary ? `${column}.astype(object)` : column;
  },
  isMissing: column => `${column}.isna()`,
  isPresent: column => `${column}.notna()`,
  isIn: (column, values) => `${column}.isin(${values})`,
  contains: (column, text, ignoreCase) => `${column}.str.contains(${py(text)}, case=${flag(!ignoreCase)}, regex=False, na=False)`,
  filter: (frame, condition) => `${frame} = ${frame}[${condition}]`,
  select: (frame, names) => `${frame} = ${frame}[${names}]`,
  sort: (frame, keys) => {
    const names = keys.map(key => py(key.name)).join(', ');
    const ascending = keys.map(key => flag(!key.descending)).join(', ');
    const key = keys.some(one => one.type.isDictionary) ? ', key=lambda column: column.astype(object)' : '';
    if (keys.length === 1) {
      return [`${frame} = ${frame}.sort_values(${names}, ascending=${ascending}, kind="stable", na_position="last"${key})`];
    }
    return [`${frame} = ${frame}.sort_values([${names}], ascending=[${ascending}], kind="stable", na_position="last"${key})`];
  }
};

const POLARS: IDialect = {
  kind: 'polars',
  imports: ['import polars as pl'],
  column: (name, index, type) => {
    if (index !== null) return null;
    return type.isDictionary ? `pl.col(${py(name)}).cast(pl.String)` : `pl.col(${py(name)})`;
  },
  isMissing: column => `${column}.is_null()`,
  isPresent: column => `${column}.is_not_null()`,
  isIn: (column, values) => `${column}.is_in(${values})`,
  contains: (column, text, ignoreCase) =>
    ignoreCase
      ? `${column}.str.to_lowercase().str.contains(${py(text.toLowerCase())}, literal=True)`
      : `${column}.str.contains(${py(text)}, literal=True)`,
  filter: (frame, condition) => `${frame} = ${frame}.filter(${condition})`,
  select: (frame, names) => `${frame} = ${frame}.select(${names})`,
  sort: (frame, keys) => {
    const parts = keys.flatMap(({ name, type, descending }) => {
      const column = type.isDictionary ? `pl.col(${py(name)}).cast(pl.String)` : `pl.col(${py(name)})`;
      // NaN is the largest number there; only this keeps it at the end in both directions.
      return type.family === 'float' && descending
        ? [
            { by: `${column}.is_nan()`, descending: false },
            { by: column, descending }
          ]
        : [{ by: column, descending }];
    });
    const by = parts.map(part => part.by).join(', ');
    const descending = parts.map(part => flag(part.descending)).join(', ');
    return [`${frame} = ${frame}.sort(${by}, descending=[${descending}], nulls_last=True, maintain_order=True)`];
  }
};

const PYARROW: IDialect = {
  kind: 'pyarrow',
  imports: ['import pyarrow.compute as pc'],
  column: (name, index, type) => {
    const column = index === null ? `pc.field(${py(name)})` : `pc.field(${index})`;
    return type.isDictionary ? `${column}.cast("string")` : column;
  },
  isMissing: column => `${column}.is_null()`,
  isPresent: column => `${column}.is_valid()`,
  isIn: (column, values) => `${column}.isin(${values})`,
  contains: (column, text, ignoreCase) => `pc.match_substring(${column}, ${py(text)}${ignoreCase ? ', ignore_case=True' : ''})`,
  filter: (frame, condition) => `${frame} = ${frame}.filter(${condition})`,
  select: (frame, names) => `${frame} = ${frame}.select(${names})`,
  sort: (frame, keys) => {
    const plain = keys
      .filter(key => key.type.isDictionary)
      .map(({ name }) => `${frame} = ${frame}.set_column(${frame}.column_names.index(${py(name)}), ${py(name)}, ${frame}[${py(name)}].cast("string"))`);
    const by = keys.map(key => `(${py(key.name)}, "${key.descending ? 'descending' : 'ascending'}")`).join(', ');
    return [...plain, `${frame} = ${frame}.sort_by([${by}])`];
  }
};

export const DIALECTS = { pandas: PANDAS, polars: POLARS, pyarrow: PYARROW };

export function pythonCode(table: IPreviewTable, view: IView, dialect: IDialect): string {
  const frame = variableFor(table.name, 'python');
  const body: string[] = [];
  const isRepeated = (name: string): boolean => table.schema.filter(column => column.name === name).length > 1;
  for (const { column, name, type, condition } of view.filters) {
    const kind = columnType(type);
    const reference = dialect.column(name, isRepeated(name) ? column : null, kind, frame);
    const conditions = reference && conditionCode(reference, condition, kind, dialect);
    if (conditions) body.push(...conditions.map(one => dialect.filter(frame, one)));
    else body.push(`# Left out: the filter of ${oneLine(name)}`);
  }
  const keys = view.sort.filter(one => !isRepeated(one.name)).map(one => ({ ...one, type: columnType(one.type) }));
  if (keys.length) body.push(...dialect.sort(frame, keys));
  for (const one of view.sort) if (isRepeated(one.name)) body.push(`# Left out: the order by ${oneLine(one.name)}`);
  const shown = shownColumns(view.layout, table.schema);
  if (shown.some((column, place) => column !== place) || shown.length < table.schema.length) {
    const names = shown.map(column => table.schema[column].name);
    if (names.some(isRepeated)) body.push('# Left out: the choice of columns');
    else body.push(dialect.select(frame, `[${names.map(py).join(', ')}]`));
  }
  const code = body.join('\n');
  return [...imports(code, dialect), '', pythonLine(table.name, dialect.kind), ...body].join('\n') + '\n';
}

/** The conditions that together make up this one; `null` if they cannot be written. */
function conditionCode(column: string, condition: Condition, type: IColumnType, dialect: IDialect): string[] | null {
  // In pandas a date is compared as a timestamp.
  const literal = (value: Scalar): string | null =>
    pythonLiteral(value, dialect.kind === 'pandas' && type.family === 'date' ? { ...type, family: 'timestamp', zone: '' } : type);
  switch (condition.kind) {
    case 'missing':
      return [dialect.isMissing(column)];
    case 'present':
      return [dialect.isPresent(column)];
    case 'text':
      return [dialect.contains(column, condition.text, condition.ignoreCase)];
    case 'range': {
      const limits: string[] = [];
      for (const [operator, text] of [
        ['>=', condition.min],
        [condition.below ? '<' : '<=', condition.max]
      ]) {
        if (text === '') continue;
        const value = literal(text);
        if (value === null) return null;
        limits.push(`${column} ${operator} ${value}`);
      }
      // Python's own objects cannot be compared with None.
      const isObject = dialect.kind === 'pandas' && ['text', 'decimal', 'time', 'binary'].includes(type.family);
      return isObject ? [dialect.isPresent(column), ...limits] : limits;
    }
    case 'except': {
      const values = condition.values.map(choice => literal(choice.value));
      if (values.includes(null)) return null;
      return [`~${dialect.isIn(column, `[${values.join(', ')}]`)} | ${dialect.isMissing(column)}`];
    }
    case 'values': {
      const values = condition.values.map(choice => literal(choice.value));
      if (values.includes(null)) return null;
      const any = values.length ? [dialect.isIn(column, `[${values.join(', ')}]`)] : [];
      if (condition.missing) any.push(dialect.isMissing(column));
      return [any.join(' | ')];
    }
  }
}

/** The imports that the code needs, sorted as a formatter would sort them. */
function imports(code: string, { imports: own }: IDialect): string[] {
  const clock = ['date', 'datetime', 'time'].filter(name => new RegExp(`\\b${name}\\.fromisoformat`).test(code));
  return [
    ...(clock.length ? [`from datetime import ${clock.join(', ')}`] : []),
    ...(code.includes('Decimal(') ? ['from decimal import Decimal'] : []),
    ...(code.includes('ZoneInfo(') ? ['from zoneinfo import ZoneInfo'] : []),
    ...(clock.length || /Decimal\(|ZoneInfo\(/.test(code) ? [''] : []),
    'import jupyter_arrowshm as shm',
    ...own.filter(line => code.includes(`${line.split(' ').at(-1)}.`))
  ];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
