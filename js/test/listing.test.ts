import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grouped, Grouping, isCompact, LIST_OPTIONS, Order, restoredOptions, shown, unused } from '../src/shared/listing';
import { news } from '../src/shared/news';
import { format, process, table } from './made';

const tables = [
  table('trips10', { nbytes: 5, published_at: '2026-01-01T00:00:00Z', holders: [process('a'), process('b')] }),
  table('trips9', { nbytes: 50, published_at: '2026-01-03T00:00:00Z', schema: [{ name: 'day', type: 'date32[day]', nullable: true }] }),
  table('Zones', { older: [{ nbytes: 90, holders: [process('report.ipynb (julia)', { notebook_path: 'reports/report.ipynb' })] }] })
];
const names = (filter: string, order: Order = 'name'): string[] => shown(tables, { ...LIST_OPTIONS, filter, order }).map(one => one.name);

void test('orders', () => {
  assert.deepEqual(names(''), ['trips9', 'trips10', 'Zones'], 'numbers in names as people count');
  assert.deepEqual(names('', 'size'), ['Zones', 'trips9', 'trips10'], 'with their older versions');
  assert.deepEqual(names('', 'age'), ['trips9', 'trips10', 'Zones'], 'newest first; unknown last');
  assert.deepEqual(names('', 'users')[0], 'trips10');
});

void test('every word is looked for in names, columns, types and notebooks', () => {
  assert.deepEqual(names('ZON'), ['Zones']);
  assert.deepEqual(names('date32 trips'), ['trips9']);
  assert.deepEqual(names('reports/'), ['Zones']);
  assert.deepEqual(names('  '), ['trips9', 'trips10', 'Zones']);
  assert.deepEqual(names('trips nothing'), []);
});

void test('what is removed is neither pinned nor in use', () => {
  const some = [table('a'), table('b', { pinned: true }), table('c', { holders: [process('x')] })];
  assert.deepEqual(unused({ tables: some, removed: [], free: 0, total: 0, limited_by: '', problem: null, version: '', protocol: 1 }).map(one => one.name), ['a']);
});

void test('groups', () => {
  const groups = (grouping: Grouping): [string, string[]][] =>
    grouped(shown(tables, LIST_OPTIONS), grouping).map(group => [group.key, group.tables.map(one => one.name)]);
  assert.deepEqual(groups('none'), [['', ['trips9', 'trips10', 'Zones']]]);
  assert.deepEqual(groups('use'), [
    ['used', ['trips10']],
    ['unused', ['trips9', 'Zones']]
  ]);
  assert.deepEqual(groups('publisher'), [['load.ipynb (python)', ['trips9', 'trips10', 'Zones']]]);
  assert.deepEqual(grouped([], 'use'), []);
});

void test('loaded tables are the last group, whatever the others are grouped by', () => {
  const loaded = table('aa.parquet-1f', { origin: '/data/aa.parquet', publisher: process('gone.py', { alive: false }) });
  const groups = (grouping: Grouping, some = [loaded, ...tables]): string[] =>
    grouped(shown(some, LIST_OPTIONS), grouping).map(group => `${group.key}: ${group.tables.map(one => one.name).join(' ')}`);
  assert.deepEqual(groups('none'), [': trips9 trips10 Zones', 'loaded: aa.parquet-1f']);
  assert.deepEqual(groups('use'), ['used: trips10', 'unused: trips9 Zones', 'loaded: aa.parquet-1f']);
  assert.deepEqual(groups('publisher').at(-1), 'loaded: aa.parquet-1f');
  assert.deepEqual(groups('none', [loaded]), ['loaded: aa.parquet-1f'], 'there is no empty group');
  assert.deepEqual(shown([loaded], { ...LIST_OPTIONS, filter: 'DATA/' }), [loaded], 'by the path');
  assert.deepEqual(shown([loaded], { ...LIST_OPTIONS, filter: 'gone.py' }), [], 'who loaded it is not shown');
  assert.deepEqual(news([], [loaded], format), ['aa.parquet-1f was loaded']);
  assert.deepEqual(news([loaded], [], format), ['aa.parquet-1f was removed']);
});

void test('many tables have a line each, unless the user wants it otherwise', () => {
  assert.deepEqual([12, 13].map(count => isCompact('auto', count)), [false, true]);
  assert.deepEqual([isCompact('compact', 1), isCompact('roomy', 99)], [true, false]);
});

void test('options of another release do no harm', () => {
  assert.deepEqual(restoredOptions(undefined), LIST_OPTIONS);
  assert.deepEqual(restoredOptions({ filter: 5, order: 'colour', grouping: 1, density: 'huge', open: ['a', 7] }), { ...LIST_OPTIONS, open: ['a'] });
});

void test('what changed is said', () => {
  const after = [table('trips9', { version: '2' }), table('Zones', { holders: [process('a')] }), table('new')];
  assert.deepEqual(news(tables, after, format), [
    'trips9 has a new version',
    'Zones: in use by 1',
    'new was shared',
    'trips10 is no longer shared'
  ]);
});
