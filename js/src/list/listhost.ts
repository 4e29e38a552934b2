import type { Format } from '../shared/format';
import type { IListOptions } from '../shared/listing';
import { ITable } from '../shared/table';

/**
 * The things that a view can ask of the place where it is: JupyterLab's sidebar, or a
 * notebook's output. A method is missing where the place cannot do it.
 */
export interface IListHost {
  readonly format: Format;
  /** Write the code that attaches the table; `null` while there is nowhere to write it. */
  readonly insert?: ((table: ITable) => void) | null;
  /** Whether a `contextmenu` event on a table opens a menu with all its actions. */
  readonly hasMenu?: boolean;
  /** Show the table's rows. */
  preview?(table: ITable): void;
  copyCode?(table: ITable): void;
  copyText?(text: string): void;
  setPinned?(table: ITable, pinned: boolean): void;
  unshare?(table: ITable): void;
  /** Remove the tables that nobody uses and that are not pinned. */
  collect?(tables: readonly ITable[]): void;
  openNotebook?(path: string): void;
  refresh(): void;
}

export interface IListProps {
  readonly host: IListHost;
  readonly options: IListOptions;
  /** Called with what the user sets. */
  readonly onOptions: (options: IListOptions) => void;
}
