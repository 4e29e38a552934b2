/** Tables and views as the tests need them. */
import { Format } from '../src/shared/format';
import type { ITable } from '../src/shared/table';

/** Translations of a page in English. */
const english = {
  __: (text: string, ...values: unknown[]) => text.replace(/%(\d)/g, (_, i: string) => String(values[Number(i) - 1])),
  _n: (one: string, many: string, n: number, ...values: unknown[]) => english.__(n === 1 ? one : many, n, ...values)
};

export const format = new Format(english as unknown as Format['trans'], 'en');

export function process(label: string, more: object = {}): ITable['publisher'] {
  return { label, pid: 1, language: 'python', kernel_id: '', alive: true, ...more };
}

export function table(name: string, more: Partial<ITable> = {}): ITable {
  return {
    name,
    num_rows: 10,
    num_columns: 1,
    nbytes: 100,
    published_at: null,
    publisher: process('load.ipynb (python)'),
    holders: [],
    countable: true,
    pinned: false,
    schema: [{ name: 'fare', type: 'double', nullable: true }],
    source: 'pandas',
    older: [],
    version: '1',
    origin: '',
    origin_columns: null,
    origin_where: '',
    removed_at: null,
    ...more
  };
}
