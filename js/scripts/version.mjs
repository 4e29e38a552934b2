// src/shared/version.ts from jupyter_arrowshm/_version.py, the one place that holds the version.
import { readFileSync, writeFileSync } from 'node:fs';

const python = readFileSync(new URL('../../jupyter_arrowshm/_version.py', import.meta.url), 'utf8');
const version = /__version__ = "(.+)"/.exec(python)[1];
// 0.1.0.dev0, 0.1.0rc1 -> 0.1.0-dev0, 0.1.0-rc1
const npm = version.replace(/^(\d+\.\d+\.\d+)\.?([a-z].*)$/, '$1-$2');
const own = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
if (own !== npm) {
  console.error(`js/package.json is version ${own}, jupyter_arrowshm ${version}: npm version ${npm} --no-git-tag-version`);
  process.exit(1);
}
const text = `// Made by scripts/version.mjs.\nexport const VERSION = '${version}';\n`;
const file = new URL('../src/shared/version.ts', import.meta.url);
let old = '';
try {
  old = readFileSync(file, 'utf8');
} catch {
  // There is none yet.
}
// An untouched file is nothing to compile again.
if (old !== text) writeFileSync(file, text);
