/** The server's description of tables (jupyter_arrowshm/server/handlers.py). */

/** A process, by the name that people know. */
export interface IProcess {
  readonly label: string;
  /** `null` for one that the server cannot see. */
  readonly pid: number | null;
  readonly language: string;
  readonly kernel_id: string;
  /** For a kernel of this server: the notebook's current path. */
  readonly notebook_path?: string;
}

export interface IPublisher extends IProcess {
  /** `null` where the file does not say who shared it. */
  readonly alive: boolean | null;
}

/** A version that the name no longer leads to, and that somebody still has attached. */
export interface IOlderVersion {
  readonly nbytes: number;
  readonly holders: readonly IProcess[];
}

/** A version of a table that is no longer shared. */
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
  /** The live processes that use it, including the publisher. */
  readonly holders: readonly IProcess[];
  /** If false, `holders` says only whether it is used; if null, not even that is known: in a folder or bucket. */
  readonly countable: boolean | null;
  readonly pinned: boolean;
  readonly schema: readonly IColumn[];
  readonly source: string;
  readonly older: readonly IOlderVersion[];
  readonly version: string;
  /** The path or URI of the files that it was loaded from (in a widget, only its last part); empty for a shared table. */
  readonly origin: string;
  /** The part of them that it is: names of columns, and a filter; `null` and empty for all. */
  readonly origin_columns: readonly string[] | null;
  readonly origin_where: string;
  /** In a cluster: how many machines have a copy, 0 if all that had one are gone; else null. Older servers leave it out. */
  readonly machines?: number | null;
  /** The time when it will be removed if nobody uses it until then. */
  readonly removed_at: string | null;
}

export interface IListing {
  readonly tables: readonly ITable[];
  readonly removed: readonly IRemovedVersion[];
  /** The bytes of the limit that is reached first, and which limit that is; `total` is 0 where there is none. */
  readonly free: number;
  readonly total: number;
  readonly limited_by: 'file system' | 'memory' | 'container' | '';
  /** The reason why the server does not remove unused tables now; `null` if it does. */
  readonly problem: string | null;
  readonly version: string;
  readonly protocol: number;
}

/** The reason why there is no list, or only an outdated one. */
export type Problem =
  /** The server extension is missing. */
  | { readonly kind: 'missing' }
  /** It is a different release from this page. */
  | { readonly kind: 'version'; readonly server: string }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'offline' }
  /** Nobody shares the table any more. */
  | { readonly kind: 'gone' }
  /** Another version has the table's name, and the requested one is no longer available. */
  | { readonly kind: 'changed' }
  /** The message itself says what is wrong. */
  | { readonly kind: 'failed'; readonly message: string };

/** The state that a view shows. */
export interface IState {
  readonly listing: IListing | null;
  readonly problem: Problem | null;
}
