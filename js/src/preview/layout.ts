/** The columns that are shown, and their order. Columns are known by name and type, so that other versions look the same. */
import type { IColumn } from '../shared/table';

/** A column by its number, with what is needed to find it again in another version. */
export interface IColumnKey extends Pick<IColumn, 'name' | 'type'> {
  readonly column: number;
}

export interface ILayout {
  /** The columns in the order that the user gave them; those that are not here come after them. */
  readonly order: readonly IColumnKey[];
  readonly hidden: readonly IColumnKey[];
  /** The columns that come first, and stay in view. */
  readonly pinned: readonly IColumnKey[];
}

export const LAYOUT: ILayout = { order: [], hidden: [], pinned: [] };

/** The numbers of all columns, hidden ones too, in the layout's order. */
export function orderedColumns({ order, pinned }: ILayout, schema: readonly IColumn[]): number[] {
  const first = [...pinned, ...order].flatMap(key => found(key, schema));
  return [...new Set([...first, ...schema.keys()])];
}

/** The numbers of the columns that are shown, in order. */
export function shownColumns(layout: ILayout, schema: readonly IColumn[]): number[] {
  const hidden = new Set(layout.hidden.flatMap(key => found(key, schema)));
  return orderedColumns(layout, schema).filter(column => !hidden.has(column));
}

/** The layout in which only these columns are hidden. */
export function withHidden(layout: ILayout, schema: readonly IColumn[], hidden: ReadonlySet<number>): ILayout {
  return { ...layout, hidden: keys([...hidden], schema) };
}

/** The numbers of the pinned columns. */
export function pinnedColumns({ pinned }: ILayout, schema: readonly IColumn[]): number[] {
  return pinned.flatMap(key => found(key, schema));
}

/** The layout in which a column is pinned, or no longer pinned. */
export function withPinned(layout: ILayout, schema: readonly IColumn[], column: number, isPinned: boolean): ILayout {
  const others = pinnedColumns(layout, schema).filter(one => one !== column);
  return { ...layout, pinned: keys(isPinned ? [...others, column] : others, schema) };
}

/** The layout in which a column has the place of another one. */
export function withMoved(layout: ILayout, schema: readonly IColumn[], column: number, to: number): ILayout {
  const order = orderedColumns(layout, schema);
  const place = order.indexOf(to);
  order.splice(order.indexOf(column), 1);
  order.splice(place, 0, column);
  return { ...layout, order: keys(order, schema) };
}

/** The layout that was stored with a tab. */
export function restoredLayout(stored: unknown): ILayout {
  const { order, hidden, pinned } = (stored ?? {}) as Partial<ILayout>;
  const restored = (some: readonly IColumnKey[] | undefined): IColumnKey[] =>
    Array.isArray(some) ? (some as IColumnKey[]).filter(one => typeof one?.column === 'number' && typeof one.name === 'string') : [];
  return { order: restored(order), hidden: restored(hidden), pinned: restored(pinned) };
}

function keys(columns: readonly number[], schema: readonly IColumn[]): IColumnKey[] {
  return columns.map(column => ({ column, name: schema[column].name, type: schema[column].type }));
}

/** The number that the column has now: none, or one. */
function found(key: IColumnKey, schema: readonly IColumn[]): number[] {
  const same = (at: number): boolean => schema[at]?.name === key.name;
  // Names may repeat: the column in the old place is tried first.
  const column = same(key.column) ? key.column : schema.findIndex((_, at) => same(at));
  return column < 0 ? [] : [column];
}
