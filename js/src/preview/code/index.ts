/** The view as code: what attaches the table, filters and sorts it, in a kernel that knows nothing of us yet. */
import type { IView } from '../query';
import type { IPreviewTable } from '../source';
import { juliaCode } from './julia';
import { DIALECTS, pythonCode } from './python';

export const LANGUAGES = ['pandas', 'polars', 'pyarrow', 'Julia'] as const;
export type CodeLanguage = (typeof LANGUAGES)[number];

export function viewCode(table: IPreviewTable, view: IView, language: CodeLanguage): string {
  return language === 'Julia' ? juliaCode(table, view) : pythonCode(table, view, DIALECTS[language]);
}
