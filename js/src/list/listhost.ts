import type { Format } from '../shared/format';
import type { IListOptions } from '../shared/listing';
import { IPlace } from '../shared/place';
import { ITable } from '../shared/table';
import type { PlacesModel } from './placesmodel';

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
  /** Copy a table of another place to this machine. */
  fetch?(table: ITable): void;
  /** Remove the tables that nobody uses and that are not pinned. */
  collect?(tables: readonly ITable[]): void;
  openNotebook?(path: string): void;
  /** Where else tables are. */
  readonly places?: IPlacesHost;
  refresh(): void;
}

/** The places, and what can be done with the tables in them. */
export interface IPlacesHost {
  readonly model: PlacesModel;
  readonly insert?: ((place: IPlace, table: ITable) => void) | null;
  /** Show the table's rows. */
  preview?(place: IPlace, table: ITable): void;
  copyCode(place: IPlace, table: ITable): void;
  /** Copy it to this machine. */
  fetch(place: IPlace, table: Pick<ITable, 'name'>): void;
  /** Copy a table of this machine to the place. */
  put?(place: IPlace, table: ITable): void;
  unshare?(place: IPlace, table: ITable): void;
}

export interface IListProps {
  readonly host: IListHost;
  readonly options: IListOptions;
  /** Called with what the user sets. */
  readonly onOptions: (options: IListOptions) => void;
}
