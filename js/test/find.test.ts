import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Find } from '../src/preview/find';
import type { PreviewModel } from '../src/preview/previewmodel';
import type { IFindStep, IFound } from '../src/preview/source';

const ROWS = 10;

/** A model in which every cell of one column has the text, and that answers when `answer` is called. */
class Model {
  readonly view = { filters: [], sort: [] };
  readonly shown = [0];
  readonly table = { version: '1' };
  search = '';

  onChange(): () => void {
    return () => undefined;
  }

  find(step: IFindStep, signal: AbortSignal): Promise<IFound | null> {
    const row = step.row < 0 ? 0 : step.row + step.direction;
    const found = { row, column: 0, number: row + 1, done: true, from: null, matches: ROWS, searched: ROWS, num_rows: ROWS, columns: 1 };
    return new Promise(resolve => this._waiting.push(() => resolve(signal.aborted ? null : found)));
  }

  /** Until nothing is asked for any more. */
  async answer(): Promise<void> {
    while (this._waiting.length) {
      this._waiting.shift()?.();
      await new Promise(resolve => setImmediate(resolve));
    }
  }

  private readonly _waiting: (() => void)[] = [];
}

function finding(): { model: Model; find: Find; rows: number[] } {
  const model = new Model();
  const rows: number[] = [];
  const find = new Find(model as unknown as PreviewModel, place => rows.push(place.row), () => undefined);
  return { model, find, rows };
}

void test('steps that are asked for before the first has arrived follow it', async () => {
  const { model, find, rows } = finding();
  find.start('a', true, null);
  for (const direction of [1, 1, 1, -1] as const) void find.go(direction, null);
  await model.answer();
  assert.deepEqual(rows, [0, 1, 2]);
  assert.equal(find.number, 3);
  assert.equal(find.isBusy, false);
  for (const direction of [-1, -1, 1, 1, 1] as const) void find.go(direction, { row: 2, column: 0 });
  await model.answer();
  assert.deepEqual(rows.slice(3), [1, 2, 3]);
});

void test('another text begins anew', async () => {
  const { model, find, rows } = finding();
  find.start('a', true, null);
  void find.go(1, null);
  find.start('ab', true, { row: 4, column: 0 });
  await model.answer();
  assert.deepEqual(rows, [4]);
});
