/** What the server says of tables (jupyter_arrowshm/server/handlers.py). */

/** A process as people know it. */
export interface IProcess {
  readonly label: string;
  /** `null` for one that the server cannot see. */
  readonly pid: number | null;
  readonly language: string;
  readonly kernel_id: string;
  /** Of a kernel of this server: the notebook's path, as it is called now. */
  readonly notebook_path?: string;
}

export interface IPublisher extends IProcess {
  /** `null` where the file does not say who shared it. */
  readonly alive: boolean | null;
}

/** A version that the name does not lead to any more, and that somebody still has attached. */
export interface IOlderVersion {
  readonly nbytes: number;
  readonly holders: readonly IProcess[];
}

/** A version of a table that is not shared any more. */
export interface IRemovedVersion extends IOlderVersion {
  readonly name: string;
}

export interface IColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}

export interface ITable {
  readonly name: string;
  readonly num_rows: number;
  readonly num_columns: number;
  readonly nbytes: number;
  /** ISO 8601 with zone. */
  readonly published_at: string | null;
  readonly publisher: IPublisher;
  /** The live processes that use it, the publisher among them. */
  readonly holders: readonly IProcess[];
  /** Where false, `holders` says no more than used or not. */
  readonly countable: boolean;
  readonly pinned: boolean;
  readonly schema: readonly IColumn[];
  readonly source: string;
  readonly older: readonly IOlderVersion[];
  readonly version: string;
  /** When it goes if nobody uses it until then. */
  readonly removed_at: string | null;
}

export interface IListing {
  readonly tables: readonly ITable[];
  readonly removed: readonly IRemovedVersion[];
  /** Bytes of the limit that is reached first, and which one that is; `total` is 0 where there is none. */
  readonly free: number;
  readonly total: number;
  readonly limited_by: 'file system' | 'memory' | 'container' | '';
  /** Why the server does not remove unused tables now; `null` if it does. */
  readonly problem: string | null;
  readonly version: string;
  readonly protocol: number;
}

/** Why there is no list, or none that is up to date. */
export type Problem =
  /** The server extension is not there. */
  | { readonly kind: 'missing' }
  /** It is another release than this page. */
  | { readonly kind: 'version'; readonly server: string }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'offline' }
  /** Nobody shares the table any more. */
  | { readonly kind: 'gone' }
  /** Another version has the table's name, and the one that is meant is not at hand any more. */
  | { readonly kind: 'changed' }
  /** It says itself what is wrong. */
  | { readonly kind: 'failed'; readonly message: string };

/** What a view shows. */
export interface IState {
  readonly listing: IListing | null;
  readonly problem: Problem | null;
}
