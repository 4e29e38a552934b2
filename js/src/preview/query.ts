/** The filters and the order of a view, as users set them and as the server takes them. */
import type { IColumn } from '../shared/table';
import { IColumnKey, ILayout, LAYOUT, restoredLayout } from './layout';
import type { FilterJSON, IValue, SortJSON } from './source';

/** The condition of a filter on one column. */
export type Condition =
  /** Any of these, or missing. */
  | { readonly kind: 'values'; readonly values: readonly IChoice[]; readonly missing: boolean }
  /** None of these; missing values stay. */
  | { readonly kind: 'except'; readonly values: readonly IChoice[] }
  /** Between these, both included, or (`below`) without the upper one; an empty one is no limit. */
  | { readonly kind: 'range'; readonly min: string; readonly max: string; readonly below?: boolean }
  | { readonly kind: 'text'; readonly text: string; readonly ignoreCase: boolean }
  | { readonly kind: 'missing' }
  | { readonly kind: 'present' };

export type IChoice = Required<IValue>;

export interface IFilter extends IColumnKey {
  readonly condition: Condition;
}

export interface ISort extends IColumnKey {
  readonly descending: boolean;
}

export interface IView {
  readonly filters: readonly IFilter[];
  /** The first is the most important. */
  readonly sort: readonly ISort[];
  readonly layout: ILayout;
}

export const WHOLE: IView = { filters: [], sort: [], layout: LAYOUT };

export function sortJSON({ sort }: IView): SortJSON[] {
  return sort.map(({ column, descending }) => ({ column, descending }));
}

/** All conditions together; `null` if there is none. */
export function filterJSON({ filters }: IView): FilterJSON | null {
  const all = filters.flatMap(filter => conditionJSON(filter.column, filter.condition));
  return all.length > 1 ? { and: all } : (all[0] ?? null);
}

function conditionJSON(column: number, condition: Condition): FilterJSON[] {
  switch (condition.kind) {
    case 'missing':
      return [{ column, op: 'is null' }];
    case 'present':
      return [{ column, op: 'is not null' }];
    case 'text':
      return [{ column, op: 'contains', value: condition.text, ...(condition.ignoreCase ? { ignore_case: true } : {}) }];
    case 'range': {
      const limits: [string, string][] = [
        ['>=', condition.min],
        [condition.below ? '<' : '<=', condition.max]
      ];
      return limits.filter(([, value]) => value !== '').map(([op, value]) => ({ column, op, value }));
    }
    case 'except': {
      const none = condition.values.map(({ value }): FilterJSON => ({ column, op: '!=', value }));
      const all = none.length > 1 ? { and: none } : none[0];
      return all ? [{ or: [all, { column, op: 'is null' }] }] : [];
    }
    case 'values': {
      const any: FilterJSON[] = [];
      if (condition.values.length) any.push({ column, op: 'in', value: condition.values.map(choice => choice.value) });
      if (condition.missing) any.push({ column, op: 'is null' });
      return any.length > 1 ? [{ or: any }] : any;
    }
  }
}

/** Whether it leaves anything out. */
export function isEmpty(condition: Condition): boolean {
  return conditionJSON(0, condition).length === 0 || (condition.kind === 'text' && !condition.text);
}

/** The view with another condition for the column, or with none. */
export function withCondition(view: IView, key: IColumnKey, condition: Condition | null): IView {
  const others = view.filters.filter(filter => filter.column !== key.column);
  const { column, name, type } = key;
  return condition && !isEmpty(condition) ? { ...view, filters: [...others, { column, name, type, condition }] } : { ...view, filters: others };
}

/** Sort by the column alone, or (`add`) by it after the others; `null`: no longer by it. */
export function withSort(view: IView, key: IColumnKey, descending: boolean | null, add: boolean): IView {
  const { column, name, type } = key;
  const here = view.sort.findIndex(one => one.column === column);
  if (descending === null) return { ...view, sort: view.sort.filter(one => one.column !== column) };
  const changed = { column, name, type, descending };
  if (!add) return { ...view, sort: [changed] };
  return { ...view, sort: here < 0 ? [...view.sort, changed] : view.sort.map((one, i) => (i === here ? changed : one)) };
}

/** The view after a click on a column's header: ascending, descending, unsorted. */
export function nextDirection(view: IView, column: number): boolean | null {
  const sort = view.sort.find(one => one.column === column);
  return !sort ? false : sort.descending ? null : true;
}

/**
 * The view of another version of the table: columns are found by name and type.
 * Also gives the names of those that are no longer there.
 */
export function carried(view: IView, schema: readonly IColumn[]): { view: IView; lost: string[] } {
  const lost = new Set<string>();
  const find = <T extends IColumnKey>(key: T): T[] => {
    const same = (at: number): boolean => schema[at]?.name === key.name && schema[at].type === key.type;
    // Names may repeat: the column in the old place is tried first.
    const column = same(key.column) ? key.column : schema.findIndex((_, at) => same(at));
    if (column < 0) lost.add(key.name);
    return column < 0 ? [] : [{ ...key, column }];
  };
  return { view: { ...view, filters: view.filters.flatMap(find), sort: view.sort.flatMap(find) }, lost: [...lost] };
}

/** The view that was stored with a tab; anything else becomes a view of everything. */
export function restoredView(stored: unknown): IView {
  const { filters, sort, layout } = (stored ?? {}) as Partial<IView>;
  const isKey = (one: IColumnKey): boolean => typeof one?.column === 'number' && typeof one.name === 'string';
  return {
    filters: Array.isArray(filters) ? (filters as IFilter[]).filter(one => isKey(one) && one.condition?.kind) : [],
    sort: Array.isArray(sort) ? (sort as ISort[]).filter(isKey) : [],
    layout: restoredLayout(layout)
  };
}
