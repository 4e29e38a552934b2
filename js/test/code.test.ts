import assert from 'node:assert/strict';
import { test } from 'node:test';
import fixture from '../../tests/fixtures/attach-lines.json';
import { attachCell, attachLine, detachCell, juliaLine, magicLine, pythonLine, rLine } from '../src/shared/code';

for (const { name, why, magic, python, julia, r } of fixture.cases) {
  void test(`the lines that attach ${name}: ${why}`, () => {
    assert.deepEqual([magicLine(name), pythonLine(name), juliaLine(name), rLine(name)], [magic, python, julia, r]);
  });
}

void test('what is inserted and copied can be run as it is', () => {
  assert.equal(attachCell('trips', 'python'), '%load_ext jupyter_arrowshm\n%attach trips');
  assert.equal(attachCell('$x', 'python'), "%load_ext jupyter_arrowshm\n%attach '$x' as _x");
  assert.equal(attachLine('$x', 'python'), "%attach '$x' as _x");
  assert.equal(attachCell('$x', 'julia'), 'using ArrowSHM\n@attach _x = "\\$x"');
  assert.equal(attachCell('$x', 'r'), 'library(arrowshm)\nx_x <- attach_table("$x")');
});

void test('a table is detached by the name, or the variable, that it was attached by', () => {
  assert.equal(detachCell('a-b', 'python'), '%load_ext jupyter_arrowshm\n%detach a-b');
  assert.equal(detachCell("it's", 'python'), `%load_ext jupyter_arrowshm\n%detach 'it'"'"'s'`);
  assert.equal(detachCell('{n}', 'python'), "%load_ext jupyter_arrowshm\n%detach '{n}'");
  assert.equal(detachCell('end', 'julia'), 'using ArrowSHM\n@detach end_');
  assert.equal(detachCell('if', 'r'), 'library(arrowshm)\ndetach_table(if_)');
});
