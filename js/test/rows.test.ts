import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Field, Float64, makeData, RecordBatch, Schema, Struct, Table, tableToIPC } from 'apache-arrow';
import { BLOCK_ROWS, Rows } from '../src/preview/rows';
import type { IPreviewSource, IRowsQuery } from '../src/preview/source';

/** Pages of a table whose cells are 1000 times the row and the column; a page has `most` rows. */
class Source implements IPreviewSource {
  readonly asked: IRowsQuery[] = [];
  readonly aborted: IRowsQuery[] = [];
  error: Error | null = null;
  /** How many pages are asked for while the rows are being sorted. */
  sorting = 0;

  constructor(
    private readonly _rows: number,
    private readonly _most = 1000
  ) {}

  table(): undefined {}

  onChange(): () => void {
    return () => undefined;
  }

  async rows(query: IRowsQuery, signal: AbortSignal): Promise<Uint8Array> {
    this.asked.push(query);
    signal.addEventListener('abort', () => this.aborted.push(query));
    await new Promise(resolve => setTimeout(resolve, 5));
    if (this.error) throw this.error;
    const isSorting = this.sorting-- > 0;
    const length = isSorting ? 0 : Math.max(0, Math.min(query.limit, this._most, this._rows - query.offset));
    const fields = query.columns.map(column => new Field(`c${column}`, new Float64(), true, new Map([['column', String(column)]])));
    const facts = { view_rows: this._rows, num_rows: this._rows, offset: query.offset, sorted: isSorting ? 0.5 : 1 };
    const schema = new Schema(fields, new Map([['arrowshm.preview', JSON.stringify(facts)]]));
    const children = query.columns.map(column =>
      makeData({ type: new Float64(), data: Float64Array.from({ length }, (_, row) => 1000 * (query.offset + row) + column) })
    );
    const batch = new RecordBatch(schema, makeData({ type: new Struct(fields), length, children }));
    return tableToIPC(new Table(schema, [batch]), 'stream');
  }

  find(): Promise<never> {
    return Promise.reject(new Error('none'));
  }

  group(): Promise<never> {
    return Promise.reject(new Error('none'));
  }

  points(): Promise<never> {
    return Promise.reject(new Error('none'));
  }

  cell(): Promise<never> {
    return Promise.reject(new Error('none'));
  }

  summary(): Promise<never> {
    return Promise.reject(new Error('none'));
  }
}

interface IMade {
  rows: Rows;
  errors: unknown[];
  /** Until the cell is there. */
  has: (row: number, column: number) => Promise<void>;
}

function make(source: Source, columns = 100): IMade {
  const errors: unknown[] = [];
  const rows = new Rows({
    source,
    version: 'v',
    sort: [],
    filter: null,
    columns: Array.from({ length: columns }, (_, i) => i),
    onPage: () => undefined,
    onError: error => errors.push(error)
  });
  const has = async (row: number, column: number): Promise<void> => {
    while (rows.cell(row, column) === undefined) await new Promise(resolve => setTimeout(resolve, 5));
    assert.equal(rows.cell(row, column), 1000 * row + column);
  };
  return { rows, errors, has };
}

void test('what is looked at comes, and is asked for once', async () => {
  const source = new Source(1_000_000);
  const { rows, has } = make(source);
  rows.look({ r1: 150, r2: 250, c1: 30, c2: 50 });
  for (const [row, column] of [
    [150, 30],
    [150, 50],
    [250, 30],
    [250, 50]
  ]) {
    await has(row, column);
  }
  assert.equal(source.asked.length, 4, 'two blocks of rows, two of columns');
  rows.look({ r1: 160, r2: 240, c1: 31, c2: 49 });
  await new Promise(resolve => setTimeout(resolve, 100));
  assert.equal(source.asked.length, 4);
  assert.deepEqual(source.asked[3].columns.length, 40);
  rows.dispose();
});

void test('a page that is cut short is gone on with', async () => {
  const source = new Source(1000, 70);
  const { rows, has } = make(source, 1);
  rows.look({ r1: 0, r2: BLOCK_ROWS - 1, c1: 0, c2: 0 });
  await has(BLOCK_ROWS - 1, 0);
  assert.deepEqual(source.asked.map(query => query.offset), [0, 70, 140]);
  assert.deepEqual((await rows.fetch({ r1: 10, r2: 100, c1: 0, c2: 0 }, 9, new AbortController().signal)).map(page => page.num_rows), [70, 21]);
  rows.dispose();
});

void test('what nobody looks at any more is not waited for', async () => {
  const source = new Source(100_000_000);
  const { rows, has } = make(source, 1);
  rows.look({ r1: 0, r2: 30, c1: 0, c2: 0 });
  await has(0, 0);
  for (let row = 0; row < 1_000_000; row += 10_000) rows.look({ r1: row, r2: row + 30, c1: 0, c2: 0 });
  rows.look({ r1: 99_999_970, r2: 99_999_999, c1: 0, c2: 0 });
  await has(99_999_999, 0);
  assert.equal(source.asked.length, 2);
  rows.dispose();
});

void test('an error is told once, and looking again asks again', async () => {
  const source = new Source(1000);
  const { rows, errors, has } = make(source, 1);
  source.error = new Error('broken');
  rows.look({ r1: 0, r2: 10, c1: 0, c2: 0 });
  await new Promise(resolve => setTimeout(resolve, 100));
  assert.deepEqual([errors, source.asked.length], [[source.error], 1]);
  source.error = null;
  rows.look({ r1: 0, r2: 10, c1: 0, c2: 0 });
  await has(10, 0);
  rows.dispose();
});

void test('rows that are not sorted yet are asked for until they are there', async () => {
  const source = new Source(1000);
  source.sorting = 3;
  const { rows, has } = make(source);
  rows.look({ r1: 850, r2: 870, c1: 0, c2: 3 });
  await has(860, 2);
  assert.deepEqual(source.asked.map(query => query.offset), [800, 800, 800, 800]);
  rows.dispose();
});
