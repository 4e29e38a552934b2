import type { IFindQuery, IRowsQuery } from './source';

/** A question of where a text is. */
export function findQuestion({ text, ignore_case, row, column, direction, ...view }: IFindQuery): Record<string, string | number> {
  return { text, ignore_case, row, column, direction, ...question(view) };
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
