import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carried, Condition, filterJSON, nextDirection, restoredView, sortJSON, WHOLE, withCondition, withSort } from '../src/preview/query';

const schema = [
  { name: 'city', type: 'string', nullable: true },
  { name: 'fare', type: 'double', nullable: true },
  { name: 'city', type: 'string', nullable: true }
];
const key = (column: number): { column: number; name: string; type: string } => ({ ...schema[column], column });
const of = (condition: Condition): unknown => filterJSON(withCondition(WHOLE, key(1), condition));

void test('conditions, as the server takes them', () => {
  assert.equal(filterJSON(WHOLE), null);
  assert.deepEqual(of({ kind: 'missing' }), { column: 1, op: 'is null' });
  assert.deepEqual(of({ kind: 'range', min: '1', max: '' }), { column: 1, op: '>=', value: '1' });
  const except = of({ kind: 'except', values: [{ text: 'a', value: 'a' }, { text: 'b', value: 'b' }] });
  const neither = { and: [{ column: 1, op: '!=', value: 'a' }, { column: 1, op: '!=', value: 'b' }] };
  assert.deepEqual(except, { or: [neither, { column: 1, op: 'is null' }] });
  assert.deepEqual(of({ kind: 'range', min: '', max: '2', below: true }), { column: 1, op: '<', value: '2' });
  assert.deepEqual(of({ kind: 'range', min: '1', max: '2' }), {
    and: [
      { column: 1, op: '>=', value: '1' },
      { column: 1, op: '<=', value: '2' }
    ]
  });
  assert.deepEqual(of({ kind: 'text', text: 'x', ignoreCase: true }), { column: 1, op: 'contains', value: 'x', ignore_case: true });
  const values = [{ text: '5.0', value: 5 }];
  assert.deepEqual(of({ kind: 'values', values, missing: false }), { column: 1, op: 'in', value: [5] });
  assert.deepEqual(of({ kind: 'values', values, missing: true }), {
    or: [
      { column: 1, op: 'in', value: [5] },
      { column: 1, op: 'is null' }
    ]
  });
  // Nothing is asked for: that is not a condition, not one that nothing meets.
  for (const nothing of [
    { kind: 'range', min: '', max: '' },
    { kind: 'values', values: [], missing: false },
    { kind: 'text', text: '', ignoreCase: true }
  ] as const) {
    assert.equal(of(nothing), null);
  }
});

void test('a header goes from ascending to descending to as it was', () => {
  let view = WHOLE;
  const seen = [0, 1, 2].map(() => {
    view = withSort(view, key(1), nextDirection(view, 1), false);
    return sortJSON(view);
  });
  assert.deepEqual(seen, [[{ column: 1, descending: false }], [{ column: 1, descending: true }], []]);
  view = withSort(withSort(WHOLE, key(1), true, false), key(0), false, true);
  assert.deepEqual(sortJSON(view), [
    { column: 1, descending: true },
    { column: 0, descending: false }
  ]);
  assert.deepEqual(sortJSON(withSort(view, key(1), false, true)).map(one => one.column), [1, 0], 'it keeps its place');
  assert.deepEqual(sortJSON(withSort(view, key(2), false, false)).map(one => one.column), [2]);
});

void test('a view is carried to another version by names and types', () => {
  const view = withSort(withCondition(WHOLE, key(2), { kind: 'missing' }), key(1), true, false);
  assert.deepEqual(carried(view, schema), { view, lost: [] });
  const moved = carried(view, [schema[1], schema[0]]);
  assert.deepEqual([moved.view.filters[0].column, moved.view.sort[0].column], [1, 0]);
  const other = carried(view, [schema[0], { ...schema[1], type: 'string' }]);
  assert.deepEqual(other.lost, ['fare'], 'a text is not a number any more');
  assert.deepEqual(other.view.sort, []);
});

void test('what was stored is not believed', () => {
  assert.deepEqual(restoredView(null), WHOLE);
  assert.deepEqual(restoredView({ filters: [{ column: 'x' }, 5], sort: 'y' }), WHOLE);
  const view = withSort(withCondition(WHOLE, key(0), { kind: 'present' }), key(1), true, false);
  assert.deepEqual(restoredView(JSON.parse(JSON.stringify(view))), view);
});
