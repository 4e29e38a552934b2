import type {
  ICellQuery,
  IFindQuery,
  IFound,
  IGroupQuery,
  IGroups,
  INode,
  IPoints,
  IPointsQuery,
  IPreviewSource,
  IPreviewTable,
  IRowsQuery,
  ISummary,
  ISummaryQuery
} from '../preview/source';
import type { FileFormat, ISaved } from '../shared/download';
import type { Address, Client } from './client';
import type { IPlace } from '../shared/place';
import { isAborted, problemOf } from '../shared/problem';
import type { Problem } from '../shared/table';
import type { TablesModel } from './tablesmodel';

/** Rows from the server. */
abstract class ServerSource implements IPreviewSource {
  constructor(
    protected readonly client: Client,
    private readonly _address: Address
  ) {}

  abstract table(): IPreviewTable | null | undefined;
  abstract onChange(callback: () => void): () => void;

  rows(query: IRowsQuery, signal: AbortSignal): Promise<Uint8Array> {
    return this.client.rows(this._address, query, signal);
  }

  summary(query: ISummaryQuery, signal: AbortSignal): Promise<ISummary> {
    return this.client.summary(this._address, query, signal);
  }

  find(query: IFindQuery, signal: AbortSignal): Promise<IFound> {
    return this.client.find(this._address, query, signal);
  }

  group(query: IGroupQuery, signal: AbortSignal): Promise<IGroups> {
    return this.client.group(this._address, query, signal);
  }

  points(query: IPointsQuery, signal: AbortSignal): Promise<IPoints> {
    return this.client.points(this._address, query, signal);
  }

  cell(query: ICellQuery, signal: AbortSignal): Promise<INode> {
    return this.client.cell(this._address, query, signal);
  }

  save(view: Partial<IRowsQuery>, format: FileFormat): Promise<ISaved> {
    return this.client.save(this._address, view, format);
  }
}

/** A shared table; the list tells when there is a new version. */
export class TableSource extends ServerSource {
  constructor(
    private readonly _name: string,
    client: Client,
    private readonly _tables: TablesModel
  ) {
    super(client, { table: _name });
  }

  table(): IPreviewTable | null | undefined {
    if (!this._tables.state.listing) return undefined;
    return this._tables.table(this._name) ?? null;
  }

  onChange(callback: () => void): () => void {
    const unwatch = this._tables.watch();
    this._tables.changed.connect(callback);
    return () => {
      this._tables.changed.disconnect(callback);
      unwatch();
    };
  }
}

/** How often the server is asked whether there is something new: nothing tells. */
const GLANCE = 5_000; // ms
/** For what is gone or cannot be read: each answer is a line in the server's log. */
const RETRY = 15_000; // ms

/** A table of which nothing tells when it changes. */
abstract class AskedSource extends ServerSource {
  /** Whether to ask again and again, or only when somebody comes to look and when an answer makes it necessary. */
  protected readonly isAskedOften: boolean = true;

  /** The table as it is now; `null` if it is still the one that is known. */
  protected abstract ask(known: IPreviewTable | null): Promise<IPreviewTable | null>;

  table(): IPreviewTable | null | undefined {
    return this._table;
  }

  problem(): Problem | null {
    return this._problem;
  }

  onChange(callback: () => void): () => void {
    const look = (): void => {
      if (!document.hidden) this.refresh();
    };
    this._callback = callback;
    const again = (): void => {
      const isWell = this._table && !this._problem;
      if (isWell || Date.now() - this._asked >= RETRY) look();
    };
    const timer = this.isAskedOften ? setInterval(again, GLANCE) : undefined;
    document.addEventListener('visibilitychange', look);
    this.refresh();
    return () => {
      this._callback = null;
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }

  refresh(): void {
    if (this._isAsking) return;
    this._isAsking = true;
    this._asked = Date.now();
    void this._look().finally(() => {
      this._isAsking = false;
    });
  }

  private async _look(): Promise<void> {
    try {
      const found = await this.ask(this._problem ? null : (this._table ?? null));
      if (!found && !this._problem) return;
      if (found) this._table = found;
      this._problem = null;
    } catch (error) {
      const problem = problemOf(error);
      if (problem.kind === 'gone') this._table = null;
      this._problem = problem.kind === 'gone' ? null : problem;
    }
    this._callback?.();
  }

  private _table: IPreviewTable | null | undefined;
  private _problem: Problem | null = null;
  private _isAsking = false;
  private _asked = 0;
  private _callback: (() => void) | null = null;
}

/** A file of the server's folder. */
export class FileSource extends AskedSource {
  constructor(
    private readonly _path: string,
    client: Client,
    /** The path by which code attaches it. */
    private readonly _attachedBy: () => string
  ) {
    super(client, { file: _path });
  }

  readonly isFile = true;

  protected async ask(known: IPreviewTable | null): Promise<IPreviewTable | null> {
    const found = await this.client.file(this._path, known ? this._etag : '');
    if (!found) return null;
    this._etag = found.etag;
    const attachedBy = this._attachedBy;
    return {
      ...found.file,
      // Asked when code is copied: for the notebook that was used last by then.
      get name() {
        return attachedBy();
      }
    };
  }

  private _etag = '';
}

/** A table of another place. Tables of this machine's users are read where they are; all others may cost a fetch. */
export class PlaceSource extends AskedSource {
  constructor(
    private readonly _place: Pick<IPlace, 'name' | 'kind'>,
    private readonly _name: string,
    client: Client
  ) {
    super(client, { place: _place.name, table: _name });
    this.isRowsOnly = _place.kind === 'folder' || _place.kind === 'cluster';
    this.isAskedOften = !this.isRowsOnly;
  }

  readonly isRowsOnly: boolean;
  protected override readonly isAskedOften: boolean;

  override async rows(query: IRowsQuery, signal: AbortSignal): Promise<Uint8Array> {
    try {
      return await super.rows(query, signal);
    } catch (error) {
      // Nothing else says that another version has taken the name.
      if (!isAborted(error) && problemOf(error).kind === 'changed') this.refresh();
      throw error;
    }
  }

  protected async ask(known: IPreviewTable | null): Promise<IPreviewTable | null> {
    const table = await this.client.placedTable(this._place.name, this._name);
    return table.version === known?.version ? null : table;
  }
}
