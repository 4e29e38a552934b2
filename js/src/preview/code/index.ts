/** The view as code that attaches, filters and sorts the table in a kernel that has not loaded our package yet. */
import type { IView } from '../query';
import type { IPreviewTable } from '../source';
import { juliaCode } from './julia';
import { DIALECTS, pythonCode } from './python';
import { rCode } from './r';

export const LANGUAGES = ['pandas', 'polars', 'pyarrow', 'Julia', 'R'] as const;
export type CodeLanguage = (typeof LANGUAGES)[number];

export function viewCode(table: IPreviewTable, view: IView, language: CodeLanguage): string {
  if (language === 'Julia') return juliaCode(table, view);
  return language === 'R' ? rCode(table, view) : pythonCode(table, view, DIALECTS[language]);
}
