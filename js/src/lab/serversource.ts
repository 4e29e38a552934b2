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
import { problemOf } from '../shared/problem';
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

/** How often the server is asked whether a file has changed: nothing tells. */
const GLANCE = 5_000; // ms
/** For one that is gone or cannot be read: each answer is a line in the server's log. */
const RETRY = 15_000; // ms

/** A file of the server's folder. */
export class FileSource extends ServerSource {
  constructor(
    private readonly _path: string,
    client: Client,
    /** The path by which code attaches it. */
    private readonly _attachedBy: () => string
  ) {
    super(client, { file: _path });
  }

  readonly isFile = true;

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
    const timer = setInterval(() => {
      const isWell = this._table && !this._problem;
      if (isWell || Date.now() - this._asked >= RETRY) look();
    }, GLANCE);
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
      const found = await this.client.file(this._path, this._etag);
      if (!found && !this._problem) return;
      if (found) {
        const attachedBy = this._attachedBy;
        this._table = {
          ...found.file,
          // Asked when code is copied: for the notebook that was used last by then.
          get name() {
            return attachedBy();
          }
        };
        this._etag = found.etag;
      }
      this._problem = null;
    } catch (error) {
      const problem = problemOf(error);
      this._etag = '';
      if (problem.kind === 'gone') this._table = null;
      this._problem = problem.kind === 'gone' ? null : problem;
    }
    this._callback?.();
  }

  private _table: IPreviewTable | null | undefined;
  private _problem: Problem | null = null;
  private _etag = '';
  private _isAsking = false;
  private _asked = 0;
  private _callback: (() => void) | null = null;
}
