import assert from 'node:assert/strict';
import { test } from 'node:test';
import fixture from '../../tests/fixtures/attach-lines.json';
import { attachCell, attachedBy, attachLine, detachCell, juliaLine, magicLine, partOf, pythonLine, rLine } from '../src/shared/code';

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

void test('a loaded table is attached by the path or URI of its files, and detached by its variable', () => {
  const loaded = (origin: string, columns: string[] | null = null, where = ''): Parameters<typeof attachedBy>[0] => ({
    name: 'trips.parquet-1f2e3d4c',
    origin,
    origin_columns: columns,
    origin_where: where
  });
  const by = (origin: string): string => attachedBy(loaded(origin));
  assert.equal(by(''), 'trips.parquet-1f2e3d4c');
  assert.equal(by('/data/trips.parquet'), '/data/trips.parquet');
  assert.equal(by('trips.parquet'), 'trips.parquet-1f2e3d4c', 'a file of a folder that is not known');
  const lines: [string, string, string, string][] = [
    ['/data/trips.parquet', '%attach /data/trips.parquet', 'trips', '@attach trips = "/data/trips.parquet"'],
    ['./my trips.2013.csv', "%attach './my trips.2013.csv'", 'my_trips', '@attach my_trips = "./my trips.2013.csv"'],
    ['s3://bucket/2026/?region=x', "%attach 's3://bucket/2026/?region=x'", '_2026', '@attach _2026 = "s3://bucket/2026/?region=x"'],
    ["/it's/{n}/$x/class.csv", `%attach '/it'"'"'s/{n}/$x/class.csv'`, 'class_', '@attach class = "/it\'s/{n}/\\$x/class.csv"'],
    ['../Zoë/.csv', "%attach '../Zoë/.csv'", 'csv', '@attach csv = "../Zoë/.csv"']
  ];
  for (const [address, magic, variable, julia] of lines) {
    assert.deepEqual([magicLine(address), juliaLine(address)], [magic, julia]);
    assert.equal(detachCell(address, 'python'), `%load_ext jupyter_arrowshm\n%detach ${variable}`);
  }
});

for (const { path, columns, where, magic, julia, r } of fixture.parts) {
  void test(`the lines that attach a part of ${path}`, () => {
    const table = { name: 'trips.parquet-1f2e3d4c', origin: path, origin_columns: columns, origin_where: where };
    const lines = (['python', 'julia', 'r'] as const).map(language => attachLine(attachedBy(table), language, partOf(table)));
    assert.deepEqual(lines, [magic, julia, r]);
    // No option of %attach can say it: the table goes by its name.
    const odd = { ...table, origin_columns: ['a,b'] };
    assert.deepEqual([attachedBy(odd), partOf(odd)], [table.name, {}]);
  });
}

void test('a table is detached by the name, or the variable, that it was attached by', () => {
  assert.equal(detachCell('a-b', 'python'), '%load_ext jupyter_arrowshm\n%detach a-b');
  assert.equal(detachCell("it's", 'python'), `%load_ext jupyter_arrowshm\n%detach 'it'"'"'s'`);
  assert.equal(detachCell('{n}', 'python'), "%load_ext jupyter_arrowshm\n%detach '{n}'");
  assert.equal(detachCell('end', 'julia'), 'using ArrowSHM\n@detach end_');
  assert.equal(detachCell('if', 'r'), 'library(arrowshm)\ndetach_table(if_)');
});
