import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brushed, chartOf, conditionOf, partAt, limitWords } from '../src/preview/chart';

const NOTHING = { column: 0, exact: true, nulls: 0, distinct: null, min: null, max: null, mean: null, histogram: null, top: null };

function edges(...values: number[]): { text: string; value: number }[] {
  return values.map(value => ({ text: String(value), value }));
}

const BARS = chartOf({ ...NOTHING, rows: 10, share: 1, histogram: { edges: edges(0, 0.1 + 0.2, 2, 3), counts: [2, 3, 5] } });
const NAMES = chartOf({
  ...NOTHING,
  rows: 10,
  share: 0.5,
  whole: { rows: 20, nulls: 4, histogram: null, top: [{ text: 'a', value: 'a', count: 8 }, { text: 'b', value: 'b', count: 4 }], found: [6, 0] }
});

void test('a filter is compared with all rows', () => {
  assert.deepEqual(BARS?.parts[0], { whole: 0.2, found: 0.2 });
  // 6 of the 10 that were found; those are half of the table.
  assert.deepEqual(NAMES?.parts.map(part => [part.whole, part.found.toFixed(6)]), [[0.4, '0.300000'], [0.2, '0.000000']]);
  assert.equal(chartOf({ ...NOTHING, rows: 5, share: 1 }), null);
});

void test('the part at a place', () => {
  assert.ok(BARS && NAMES);
  assert.deepEqual([-0.1, 0, 0.34, 0.99, 1.2].map(place => partAt(BARS, place)), [0, 0, 1, 2, 2]);
  assert.deepEqual([-0.1, 0.1, 0.51, 0.9].map(place => partAt(NAMES, place)), [null, 0, 1, null]);
});

void test('a range leaves out no more than the bins beside it, and an end of the chart is no limit', () => {
  assert.ok(BARS && NAMES);
  const inner = { kind: 'range', min: '0.30000000000000004', max: '2', below: true } as const;
  assert.deepEqual(conditionOf(BARS, 'number', 1, 1), inner);
  assert.deepEqual(conditionOf(BARS, 'number', 0, 1), { kind: 'range', min: '', max: '2', below: true });
  assert.deepEqual(conditionOf(BARS, 'number', 2, 2), { kind: 'range', min: '2', max: '' });
  assert.equal(conditionOf(BARS, 'number', 0, 2), null);
  assert.equal(limitWords(inner.min), '0.3');
  const key = { column: 0, name: 'x', type: 'double' };
  assert.equal(brushed(BARS, 'number', 1, 1, false, { ...key, condition: inner }), null);
  const a = { kind: 'values', values: [{ text: 'a', value: 'a' }], missing: false } as const;
  assert.deepEqual(brushed(NAMES, 'text', 0, 0, false, undefined), a);
  const both = brushed(NAMES, 'text', 1, 1, true, { ...key, condition: a });
  assert.deepEqual(both, { ...a, values: [...a.values, { text: 'b', value: 'b' }] });
  assert.ok(both);
  assert.deepEqual(brushed(NAMES, 'text', 1, 1, true, { ...key, condition: both }), a);
});
