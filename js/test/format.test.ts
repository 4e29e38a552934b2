import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellText, oneLine, tsv } from '../src/preview/celltext';
import { format } from './made';

void test('sizes, as Python writes them', () => {
  const sizes: [number, string][] = [
    [1, '1 byte'],
    [980, '980 bytes'],
    [1000, '1.0 kB'],
    [99_949, '99.9 kB'],
    [99_950, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [42_300_000, '42.3 MB'],
    [6.4e9, '6.4 GB']
  ];
  for (const [bytes, text] of sizes) assert.equal(format.size(bytes), text);
});

void test('shares: what is there is not 0%, what is missing not 100%', () => {
  assert.deepEqual([0, 0.0001, 0.5, 0.9999, 1].map(part => format.share(part)), ['0%', '<1%', '50%', '99%', '100%']);
});

void test('cells', () => {
  assert.equal(cellText(2013, 'integer'), '2013');
  assert.equal(cellText(9_007_199_254_740_993n, 'integer'), '9007199254740993');
  assert.equal(cellText(5, 'float64'), '5.0');
  assert.equal(cellText(-0, 'float64'), '-0.0');
  assert.equal(cellText(0.1, 'float64'), '0.1');
  assert.equal(cellText(1e21, 'float64'), '1e+21');
  assert.equal(cellText(Math.fround(0.1), 'float32'), '0.1');
  assert.equal(cellText(Math.fround(1 / 3), 'float32'), '0.33333334');
  assert.deepEqual([NaN, Infinity, -Infinity].map(one => cellText(one, 'float64')), ['NaN', 'inf', '-inf']);
  assert.equal(cellText(true, null), 'true');
  assert.equal(oneLine('a\r\nb\tc\nd'), 'a↵b c↵d');
});

void test('a spreadsheet reads back what was copied', () => {
  assert.equal(tsv([['a', 'b'], ['say "hi"', 'x\ty'], ['1\n2', '']]), 'a\tb\n"say ""hi"""\t"x\ty"\n"1\n2"\t');
});
