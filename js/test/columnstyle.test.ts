import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ColumnStyle, NumberFormat, restoredNumbers } from '../src/preview/columnstyle';
import { headlines } from '../src/preview/headline';
import type { IField } from '../src/preview/page';
import type { IColumnSummary } from '../src/preview/source';
import { typeWords } from '../src/preview/typewords';
import { format } from './made';

const shown = (values: readonly (number | bigint | string)[], number: IField['number'], as: NumberFormat = 'auto'): string[] => {
  const style = new ColumnStyle(format, { kind: number ? 'number' : 'time', number }, as, values);
  return values.map(value => style.text(value));
};

void test('numbers have four to six digits, and what a column has in common', () => {
  assert.deepEqual(shown([0.1 + 0.2, 1 / 3, 12], 'float64'), ['0.3000', '0.3333', '12.0000']);
  assert.deepEqual(shown([1.5, 2.25, -3], 'float64'), ['1.50', '2.25', '-3.00']);
  assert.deepEqual(shown([1234567.891, 12.5], 'float64'), ['1,234,568', '12.5']);
  assert.deepEqual(shown([3, 4, NaN], 'float64'), ['3', '4', 'NaN']);
  assert.deepEqual(shown([0.00012345678, 5000.25], 'float64'), ['0.0001235', '5,000.25'].map(text => text.replace('5,000', '5000')));
  assert.deepEqual(shown([1.5e-12, 2e20, 0], 'float64'), ['1.5e-12', '2e20', '0']);
  assert.deepEqual(shown([Math.fround(0.1)], 'float32'), ['0.1']);
});

void test('integers have thousands, and a year has none', () => {
  assert.deepEqual(shown([2013, 336776, 12345678901234567890n], 'integer'), ['2013', '336,776', '12,345,678,901,234,567,890']);
});

void test('a format of the user', () => {
  assert.deepEqual(shown([0.12345, 2], 'float64', 'percent'), ['12.3%', '200.0%']);
  assert.deepEqual(shown([0.1 + 0.2, 3], 'float64', 'raw'), ['0.30000000000000004', '3.0']);
  assert.deepEqual(shown([12345], 'integer', 'raw'), ['12345']);
  assert.deepEqual(shown([0.12345, 2], 'float64', 1), ['0.1', '2.0']);
  assert.deepEqual(restoredNumbers({ a: 'raw', b: 'colour', c: 2, d: 99 }), { a: 'raw', c: 2 });
  assert.deepEqual(restoredNumbers(undefined), {});
});

void test('days have no midnight, unless one of them is at noon', () => {
  assert.deepEqual(shown(['2013-01-01 00:00:00', '2013-01-02 00:00:00'], null), ['2013-01-01', '2013-01-02']);
  assert.deepEqual(shown(['2013-01-01 00:00:00', '2013-01-02 12:00:00'], null), ['2013-01-01 00:00:00', '2013-01-02 12:00:00']);
  assert.deepEqual(shown(['2013-01-01'], null), ['2013-01-01']);
});

void test('the points are below each other', () => {
  const style = new ColumnStyle(format, { kind: 'number', number: 'float64' }, 'auto', [1.25, 0.00012345]);
  assert.equal(style.fraction, '.0001235'.length);
  assert.deepEqual(['1,234', '1.5e-12', 'NaN', '12.3%'].map(text => style.fractionOf(text)), ['', '.5e-12', '', '']);
});

void test('the range of a column is shortened, and never loses its largest value', () => {
  const of = (min: string, max: string): string[] => {
    const summary: IColumnSummary = {
      column: 0, rows: 9, exact: true, nulls: 0, distinct: null, mean: null, histogram: null, top: null,
      min: { text: min }, max: { text: max }
    };
    return headlines(summary, format);
  };
  assert.deepEqual(of('0.123456789', '1234567.891'), ['0.123457 – 1,234,570', '0.1235 – 1,235,000', '0.123 – 1,230,000', '0.123 – 1.23M', '… – 1,234,570']);
  assert.deepEqual(of('1', '336776'), ['1 – 336,776', '1 – 337K', '… – 336,776']);
  assert.deepEqual(of('1000000', '1000049'), ['1,000,000 – 1,000,049', '… – 1,000,049'], 'no shorter than what tells them apart');
  assert.deepEqual(of('2013-01-01 05:00:00', '2014-02-03 00:00:00'), ['2013-01-01 – 2014-02-03', '2013-01 – 2014-02', '2013 – 2014', '… – 2014-02-03']);
});

void test('types in words', () => {
  const words = (type: string): string => typeWords(type, format.trans);
  for (const [type, found] of Object.entries({
    int64: 'integer', uint8: 'integer', double: 'float', halffloat: 'float', string: 'text', large_string: 'text', string_view: 'text',
    bool: 'true or false', 'date32[day]': 'date', 'timestamp[us]': 'time', 'timestamp[ns, tz=Europe/Zurich]': 'time in Europe/Zurich',
    'time64[us]': 'time of day', 'duration[ms]': 'duration', binary: 'bytes', 'fixed_size_binary[16]': 'bytes', 'decimal128(8, 2)': 'decimal',
    'list<item: string>': 'list of text', 'large_list<item: list<item: int64> not null>': 'list of list of integer',
    'fixed_size_list<item: float>[3]': 'list of float', 'struct<a: int64>': 'record', 'map<string, int64>': 'map', null: 'empty',
    'dictionary<values=string, indices=int8, ordered=0>': 'text categories',
    'run_end_encoded<run_ends: int32, values: double>': 'float', 'extension<arrow.json>': 'extension<arrow.json>'
  })) {
    assert.equal(words(type), found, type);
  }
});
