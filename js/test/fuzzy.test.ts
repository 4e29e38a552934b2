import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchScore } from '../src/preview/fuzzy';

const COLUMNS = ['dep_time', 'sched_dep_time', 'dep_delay', 'arrDelay', 'delay', 'carrier', 'Prix moyen'];
const found = (typed: string): string[] =>
  COLUMNS.flatMap(name => {
    const score = matchScore(name, typed);
    return score === null ? [] : [{ name, score }];
  })
    .sort((a, b) => b.score - a.score)
    .map(one => one.name);

void test('what begins with it comes first, then what has it at the beginning of a word', () => {
  assert.deepEqual(found('delay'), ['delay', 'arrDelay', 'dep_delay']);
  assert.deepEqual(found('dep'), ['dep_time', 'dep_delay', 'sched_dep_time']);
});

void test('letters in between may be left out, and case and spaces', () => {
  assert.equal(found('dt')[0], 'dep_time');
  assert.equal(found('sdt')[0], 'sched_dep_time');
  assert.deepEqual(found('PRIX m'), ['Prix moyen']);
  assert.deepEqual(found('xyz'), []);
  assert.equal(found('').length, COLUMNS.length);
});
