/** The view as code that attaches, filters and sorts the table in a kernel that has not loaded our package yet. */
import type { IView } from '../query';
import type { IPreviewTable } from '../source';
import { juliaCode } from './julia';
import { DIALECTS, pythonCode } from './python';

export const LANGUAGES = ['pandas', 'polars', 'pyarrow', 'Julia'] as const;
export type CodeLanguage = (typeof LANGUAGES)[number];

export function viewCode(table: IPreviewTable, view: IView, language: CodeLanguage): string {
  return language === 'Julia' ? juliaCode(table, view) : pythonCode(table, view, DIALECTS[language]);
}
