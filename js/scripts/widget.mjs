// The notebook widget, in jupyter_arrowshm/static: one module, and one style whose every rule is under the widget's class.
import { build, transform } from 'esbuild';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const here = path => fileURLToPath(new URL(path, import.meta.url));
const target = ['chrome107', 'firefox110', 'safari16'];
const out = here('../../jupyter_arrowshm/static');

await mkdir(out, { recursive: true });
await build({
  absWorkingDir: here('..'),
  entryPoints: [here('../src/widget/index.tsx')],
  outfile: `${out}/widget.js`,
  bundle: true,
  format: 'esm',
  minify: true,
  target,
  legalComments: 'none',
  // A notebook loads this for each widget: React is 130 kB, and Preact does what our views need in 20.
  alias: { react: 'preact/compat' },
  banner: { js: '// jupyter-arrowshm, BSD-3-Clause; with apache-arrow (Apache-2.0), Lumino (BSD-3-Clause) and Preact (MIT).' }
});

const styles = await Promise.all(['shared', 'list', 'preview', 'widget'].map(name => readFile(here(`../style/${name}.css`), 'utf8')));
const { code } = await transform(`.jp-ArrowSHM-widget {\n${styles.join('\n')}\n}`, { loader: 'css', target, minify: true });
await writeFile(`${out}/widget.css`, code);
