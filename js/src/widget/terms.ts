/** A preview's view in the words of Python (jupyter_arrowshm/widget/terms.py), and back. */
import type { IColumnKey } from '../preview/layout';
import { Condition, IView } from '../preview/query';
import type { Scalar } from '../preview/source';
import type { IColumn } from '../shared/table';

/** Traits of a TablePreview. */
export interface ITerms {
  readonly sort: readonly (readonly [string, 'ascending' | 'descending'])[];
  readonly filter: Readonly<Record<string, ITerm>>;
}

export interface ITerm {
  readonly min?: Scalar;
  readonly max?: Scalar;
  readonly below?: Scalar;
  readonly values?: readonly Scalar[];
  readonly except?: readonly Scalar[];
  readonly missing?: boolean;
  readonly contains?: string;
  readonly ignore_case?: boolean;
}

export function termsOf({ sort, filters }: Omit<IView, 'layout'>): ITerms {
  return {
    sort: sort.map(({ name, descending }) => [name, descending ? 'descending' : 'ascending']),
    filter: Object.fromEntries(filters.map(({ name, condition }) => [name, termOf(condition)]))
  };
}

function termOf(condition: Condition): ITerm {
  switch (condition.kind) {
    case 'missing':
      return { missing: true };
    case 'present':
      return { missing: false };
    case 'text':
      return { contains: condition.text, ...(condition.ignoreCase ? { ignore_case: true } : {}) };
    case 'range':
      return { ...(condition.min === '' ? {} : { min: condition.min }), ...(condition.max === '' ? {} : { [condition.below ? 'below' : 'max']: condition.max }) };
    case 'except':
      return { except: condition.values.map(one => one.value) };
    case 'values':
      return { values: condition.values.map(one => one.value), ...(condition.missing ? { missing: true } : {}) };
  }
}

/** Terms for columns that the table does not have are left out. */
export function viewOf({ sort, filter }: ITerms, schema: readonly IColumn[]): Omit<IView, 'layout'> {
  const find = (name: string): IColumnKey[] => {
    const column = schema.findIndex(one => one.name === name);
    return column < 0 ? [] : [{ column, name, type: schema[column].type }];
  };
  return {
    sort: sort.flatMap(([name, direction]) => find(name).map(key => ({ ...key, descending: direction === 'descending' }))),
    filters: Object.entries(filter).flatMap(([name, term]) => find(name).map(key => ({ ...key, condition: conditionOf(term) })))
  };
}

function conditionOf({ min, max, below, values, except, missing, contains, ignore_case }: ITerm): Condition {
  if (contains !== undefined) return { kind: 'text', text: String(contains), ignoreCase: ignore_case === true };
  if (below !== undefined) return { kind: 'range', min: String(min ?? ''), max: String(below), below: true };
  if (min !== undefined || max !== undefined) return { kind: 'range', min: String(min ?? ''), max: String(max ?? '') };
  if (except) return { kind: 'except', values: except.map(value => ({ text: String(value), value })) };
  if (values) return { kind: 'values', values: values.map(value => ({ text: String(value), value })), missing: missing === true };
  return { kind: missing === false ? 'present' : 'missing' };
}
