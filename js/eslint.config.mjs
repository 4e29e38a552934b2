import js from '@eslint/js';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['lib', 'scripts', '*.mjs', 'style/index.js'] },
  js.configs.recommended,
  ...ts.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      curly: ['error', 'multi-line'],
      // JupyterLab's names: IThing is an interface, and a plugin's token has the same name.
      '@typescript-eslint/no-redeclare': 'off'
    }
  }
);
