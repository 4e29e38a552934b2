import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAYOUT, orderedColumns, pinnedColumns, restoredLayout, shownColumns, withHidden, withMoved, withPinned } from '../src/preview/layout';

const SCHEMA = ['a', 'b', 'c', 'c', 'd'].map(name => ({ name, type: 'int64', nullable: true }));

void test('columns are hidden and moved, and new ones come last', () => {
  assert.deepEqual(shownColumns(LAYOUT, SCHEMA), [0, 1, 2, 3, 4]);
  const moved = withMoved(withHidden(LAYOUT, SCHEMA, new Set([1, 3])), SCHEMA, 4, 0);
  assert.deepEqual(orderedColumns(moved, SCHEMA), [4, 0, 1, 2, 3]);
  assert.deepEqual(shownColumns(moved, SCHEMA), [4, 0, 2]);
  assert.deepEqual(shownColumns(withMoved(moved, SCHEMA, 4, 2), SCHEMA), [0, 2, 4]);
  // Another version has other columns in other places.
  const other = ['new', 'd', 'c', 'a'].map(name => ({ name, type: 'double', nullable: true }));
  assert.deepEqual(shownColumns(moved, other), [1, 3, 0]);
  assert.deepEqual(shownColumns(withHidden(moved, SCHEMA, new Set([1])), other), [1, 3, 2, 0]);
});

void test('a layout is restored, and anything else is none', () => {
  const layout = withMoved(LAYOUT, SCHEMA, 4, 0);
  assert.deepEqual(restoredLayout(JSON.parse(JSON.stringify(layout))), layout);
  assert.deepEqual(restoredLayout({ order: [5, { name: 'a' }], hidden: 'x' }), LAYOUT);
  assert.deepEqual(restoredLayout(undefined), LAYOUT);
});

void test('pinned columns come first, in the order in which they were pinned, and are known by name', () => {
  const pinned = withPinned(withPinned(LAYOUT, SCHEMA, 3, true), SCHEMA, 1, true);
  assert.deepEqual(shownColumns(pinned, SCHEMA), [3, 1, 0, 2, 4]);
  assert.deepEqual(pinnedColumns(pinned, SCHEMA), [3, 1]);
  assert.deepEqual(shownColumns(withMoved(pinned, SCHEMA, 4, 3), SCHEMA), [3, 1, 4, 0, 2]);
  assert.deepEqual(shownColumns(withPinned(pinned, SCHEMA, 3, false), SCHEMA), [1, 0, 2, 3, 4]);
  assert.deepEqual(pinnedColumns(restoredLayout(JSON.parse(JSON.stringify(pinned))), [...SCHEMA].reverse()), [1, 3]);
});
