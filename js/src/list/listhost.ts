import type { Format } from '../shared/format';
import type { IListOptions } from '../shared/listing';
import { ITable } from '../shared/table';

/**
 * What a view can ask of the place that it is in: JupyterLab's sidebar, or a
 * notebook's output. What a place cannot do is not there.
 */
export interface IListHost {
  readonly format: Format;
  /** Write the code that attaches the table; `null` while there is nothing to write it into. */
  readonly insert?: ((table: ITable) => void) | null;
  /** Whether a `contextmenu` event on a table opens a menu with everything that can be done with it. */
  readonly hasMenu?: boolean;
  /** Show the table's rows. */
  preview?(table: ITable): void;
  copyCode?(table: ITable): void;
  copyText?(text: string): void;
  setPinned?(table: ITable, pinned: boolean): void;
  unshare?(table: ITable): void;
  /** Remove what nobody uses and that is not pinned. */
  collect?(tables: readonly ITable[]): void;
  openNotebook?(path: string): void;
  refresh(): void;
}

export interface IListProps {
  readonly host: IListHost;
  readonly options: IListOptions;
  /** Told what the user sets. */
  readonly onOptions: (options: IListOptions) => void;
}
