/** Which tables a list shows, and in which order. */
import type { IListing, IProcess, ITable } from './table';

export const ORDERS = ['name', 'size', 'age', 'users'] as const;
export type Order = (typeof ORDERS)[number];
export const GROUPINGS = ['none', 'use', 'publisher'] as const;
export type Grouping = (typeof GROUPINGS)[number];
/** `auto`: one line for each table if there are many. */
export const DENSITIES = ['auto', 'compact', 'roomy'] as const;
export type Density = (typeof DENSITIES)[number];
/** If there are more tables than this, each has one line. */
export const ROOMY = 12;

/** The options that a user has set in a list; they survive a reload. */
export interface IListOptions {
  readonly filter: string;
  readonly order: Order;
  readonly grouping: Grouping;
  readonly density: Density;
  /** The names of the opened tables. */
  readonly open: readonly string[];
}

export const LIST_OPTIONS: IListOptions = { filter: '', order: 'name', grouping: 'none', density: 'auto', open: [] };

/** The stored options; any that are missing, or that only another release knows, have their defaults. */
export function restoredOptions(stored: unknown): IListOptions {
  const { filter, order, grouping, density, open } = (stored ?? {}) as Partial<Record<keyof IListOptions, unknown>>;
  return {
    filter: typeof filter === 'string' ? filter : LIST_OPTIONS.filter,
    order: ORDERS.find(one => one === order) ?? LIST_OPTIONS.order,
    grouping: GROUPINGS.find(one => one === grouping) ?? LIST_OPTIONS.grouping,
    density: DENSITIES.find(one => one === density) ?? LIST_OPTIONS.density,
    open: Array.isArray(open) ? open.filter((name): name is string => typeof name === 'string') : LIST_OPTIONS.open
  };
}

/** The tables that match, largest, newest or most used first; equal ones are ordered by name. */
export function shown(tables: readonly ITable[], { filter, order }: IListOptions): ITable[] {
  const key: Record<Order, (table: ITable) => number> = {
    name: () => 0,
    size: table => -memory(table),
    age: table => -(table.published_at ? Date.parse(table.published_at) : 0),
    users: table => -table.holders.length
  };
  return tables
    .filter(table => matches(table, filter))
    .sort((a, b) => key[order](a) - key[order](b) || collator.compare(a.name, b.name));
}

/** Whether each table has one line. */
export function isCompact(density: Density, tables: number): boolean {
  return density === 'auto' ? tables > ROOMY : density === 'compact';
}

export interface IGroup {
  /** `used`, `unused`, `loaded`, or the label of who shared the tables; empty for all tables. */
  readonly key: string;
  readonly tables: readonly ITable[];
}

/** The tables in groups, each in the given order; those that were loaded from files are the last group. */
export function grouped(tables: readonly ITable[], grouping: Grouping): IGroup[] {
  const shared = sharedGroups(
    tables.filter(table => !table.origin),
    grouping
  );
  return [...shared, { key: 'loaded', tables: tables.filter(table => table.origin) }].filter(group => group.tables.length);
}

/** Groups by publisher are in the order of their labels. */
function sharedGroups(tables: readonly ITable[], grouping: Grouping): IGroup[] {
  if (grouping === 'none') return [{ key: '', tables }];
  const keyOf = (table: ITable): string =>
    grouping === 'publisher' ? table.publisher.label : table.holders.length ? 'used' : 'unused';
  const groups = new Map<string, ITable[]>(grouping === 'use' ? [['used', []], ['unused', []]] : []);
  for (const table of tables) groups.set(keyOf(table), [...(groups.get(keyOf(table)) ?? []), table]);
  const found = [...groups].map(([key, of]) => ({ key, tables: of }));
  return grouping === 'publisher' ? found.sort((a, b) => collator.compare(a.key, b.key)) : found;
}

/** Bytes of a table and of its older versions that are still in use. */
export function memory(table: ITable): number {
  return table.older.reduce((sum, version) => sum + version.nbytes, table.nbytes);
}

/** The tables that "remove unused" removes. */
export function unused(listing: IListing): ITable[] {
  return listing.tables.filter(table => !table.holders.length && !table.pinned);
}

/** The users of the table or of one of its older versions. */
export function users(table: ITable): IProcess[] {
  return [...table.holders, ...table.older.flatMap(version => version.holders)];
}

const collator = new Intl.Collator(undefined, { numeric: true });

/** Every word must be found in the table's name, its columns, their types, or its notebooks. */
function matches(table: ITable, filter: string): boolean {
  const words = filter.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const people = table.origin ? users(table) : [table.publisher, ...users(table)];
  const text = [
    table.name,
    table.origin,
    ...people.flatMap(one => [one.label, one.notebook_path ?? '']),
    ...table.schema.flatMap(column => [column.name, column.type])
  ]
    .join('\n')
    .toLocaleLowerCase();
  return words.every(word => text.includes(word));
}
