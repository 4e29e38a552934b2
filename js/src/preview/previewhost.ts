import type { Format } from '../shared/format';
import type { Grid } from './grid';
import type { PreviewModel } from './previewmodel';

/** The things that a preview can ask of the place where it is. */
export interface IPreviewHost {
  readonly format: Format;
  copyText?(text: string): void;
  /** Say that something was done, or what is wrong. */
  notify(message: string, isError?: boolean): void;
  /** Open a box for SQL that begins with this statement. */
  openSql?(statement: string): void;
  /** Copy the table, which is in another place, to this machine. */
  copyHere?(): void;
  /** Called when the grid is there, and whenever its selection changes. */
  onSelect?(grid: Grid): void;
}

export interface IPreviewProps {
  readonly preview: PreviewModel;
  readonly host: IPreviewHost;
}
