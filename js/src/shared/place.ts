/** Where else tables are (jupyter_arrowshm/elsewhere/protocol.py). */
import type { ITable } from './table';

export interface IPlace {
  /** As it stands after `--to` and `--from`. */
  readonly name: string;
  readonly description: string;
  /** As others name it after `--from`. */
  readonly read_as: string;
  /** Your tables that others may read, another user's tables, or a folder or bucket, which may be slow. */
  readonly kind: 'yours' | 'user' | 'folder' | 'cluster';
  /** Whether tables can be shared there. */
  readonly writable: boolean;
}

/** Whether to look into it may take seconds, and all of a table has to be fetched to sort or filter it. */
export function isFar({ kind }: Pick<IPlace, 'kind'>): boolean {
  return kind === 'folder' || kind === 'cluster';
}

export interface IPlaceList {
  readonly places: readonly IPlace[];
  /** Where this user can share, also where nothing was shared yet. */
  readonly targets: readonly IPlace[];
}

/** The server, or the kernel of a widget. */
export interface IPlaceSource {
  /** The places; none of them is asked. */
  places(): Promise<IPlaceList>;
  /** The tables in one; a folder or bucket may take seconds. */
  tables(place: IPlace): Promise<ITable[]>;
}
