import type { IRowsQuery } from './source';

/** A question about a view that has more to it: a text to find, a cell, columns for a chart. */
export function questionWith<T extends Partial<IRowsQuery>>(query: T, more: readonly (keyof T & string)[]): Record<string, string | number> {
  const asked = more.map(name => [name, query[name]] as [string, string | number]);
  return { ...Object.fromEntries(asked), ...question(query) };
}

/** A question about a view, in the words of jupyter_arrowshm/looking: the same for the server and for a kernel. */
export function question(query: Partial<IRowsQuery>): Record<string, string | number> {
  const { offset, limit, cell, columns, sort, filter, version } = query;
  return {
    ...(offset === undefined ? {} : { offset }),
    ...(limit === undefined ? {} : { limit }),
    ...(cell ? { cell } : {}),
    ...(columns ? { columns: JSON.stringify(columns) } : {}),
    ...(sort?.length ? { sort: JSON.stringify(sort) } : {}),
    ...(filter ? { filter: JSON.stringify(filter) } : {}),
    ...(version ? { version } : {})
  };
}
