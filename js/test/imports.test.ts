/** Which folder may import which, and that no module imports itself by way of others. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const SRC = resolve('src');
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  list: ['shared'],
  preview: ['shared'],
  widget: ['shared', 'list', 'preview'],
  lab: ['shared', 'list', 'preview']
};
// The widget has no part of JupyterLab, and no page of it may have to load one.
const OF_JUPYTERLAB = /^@jupyterlab\//;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(file => /\.tsx?$/.test(file));
const imports = new Map(files.map(file => [file, importsOf(file)]));

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)'/gm)].map(found => found[1]);
}

/** The module that is meant, as a file below src; `null` for a package, or what is not TypeScript. */
function fileOf(from: string, imported: string): string | null {
  if (!imported.startsWith('.')) return null;
  const path = relative(SRC, resolve(SRC, dirname(from), imported));
  return [`${path}.ts`, `${path}.tsx`, join(path, 'index.ts')].find(one => imports.has(one)) ?? null;
}

const folderOf = (file: string): string => file.split('/')[0];

void test('each folder imports what it may', () => {
  assert.deepEqual([...new Set(files.map(folderOf))].sort(), Object.keys(MAY_IMPORT).sort());
  for (const file of files) {
    const folder = folderOf(file);
    for (const imported of imports.get(file) ?? []) {
      const target = fileOf(file, imported);
      if (target && folderOf(target) !== folder) {
        assert.ok(MAY_IMPORT[folder].includes(folderOf(target)), `${file} must not import ${target}`);
      }
    }
  }
});

void test('JupyterLab is imported in lab alone, but for types', () => {
  for (const file of files.filter(one => folderOf(one) !== 'lab')) {
    const text = readFileSync(join(SRC, file), 'utf8').replace(/^import type\b[^;]*;/gm, '');
    const found = [...text.matchAll(/\bfrom '([^']+)'/g)].map(one => one[1]).filter(one => OF_JUPYTERLAB.test(one));
    assert.deepEqual(found, [], file);
  }
});

void test('no module imports itself by way of others', () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), [...path, file].join(' -> '));
    if (done.has(file)) return;
    for (const imported of imports.get(file) ?? []) {
      const target = fileOf(file, imported);
      if (target) visit(target, [...path, file]);
    }
    done.add(file);
  };
  for (const file of files) visit(file, []);
});
