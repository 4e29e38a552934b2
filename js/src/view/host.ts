import type { Format } from '../format';
import { ITable } from '../table';

/**
 * What a view can ask of the place that it is in: JupyterLab's sidebar, later a
 * notebook's output. What a place cannot do is not there.
 */
export interface IHost {
  readonly format: Format;
  /** Write the code that attaches the table; `null` while there is nothing to write it into. */
  readonly insert?: ((table: ITable) => void) | null;
  copyCode?(table: ITable): void;
  copyText?(text: string): void;
  setPinned?(table: ITable, pinned: boolean): void;
  unshare?(table: ITable): void;
  openNotebook?(path: string): void;
  refresh(): void;
}
