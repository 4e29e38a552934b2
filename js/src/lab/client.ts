import { PathExt, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { question, questionWith } from '../preview/question';
import {
  ICellQuery,
  IFindQuery,
  IFound,
  IGroupQuery,
  IGroups,
  INode,
  IPoints,
  IPointsQuery,
  IPreviewTable,
  IRowsQuery,
  ISummary,
  ISummaryQuery
} from '../preview/source';
import { download, FileFormat, ISaved } from '../shared/download';
import { IPlace, IPlaceList } from '../shared/place';
import { RequestError } from '../shared/problem';
import { IListing, ITable } from '../shared/table';
import { VERSION } from '../shared/version';

/** The versions of the protocol that this page understands. */
const PROTOCOL = 1;

/** Characters of a question in a URL; proxies take a few thousand. */
const LONGEST = 1500;

/** The answers that a server of an older release leaves out, and what it leaves out of each table. */
const OLDER = { removed: [], problem: null, limited_by: '' } as const;
const OLDER_TABLE = { origin: '', origin_columns: null, origin_where: '' } as const;

/** A shared table, of this machine or of another place, or a file by its path in the server's folder. */
export type Address = { readonly table: string; readonly place?: string } | { readonly file: string };

export interface IFile extends IPreviewTable {
  readonly is_cut: boolean;
}

/** The server extension over HTTP. */
export class Client {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  /** The list, or `null` if it has not changed since the last one. */
  async list(): Promise<IListing | null> {
    const response = await this._request('tables', {
      headers: this._etag ? { 'If-None-Match': this._etag } : {}
    });
    if (response.status === 304) return null;
    const answer = (await response.json()) as IListing;
    const listing: IListing = { ...OLDER, ...answer, tables: answer.tables.map(table => ({ ...OLDER_TABLE, ...table })) };
    if (listing.protocol !== PROTOCOL) {
      throw new RequestError({ kind: 'version', server: listing.version }, 'another protocol');
    }
    this._etag = response.headers.get('ETag') ?? '';
    return listing;
  }

  /** Ask for the next list in full. */
  forget(): void {
    this._etag = '';
  }

  async unshare(table: ITable): Promise<void> {
    await this._request(`tables/${encodeURIComponent(table.name)}`, { method: 'DELETE' });
  }

  async setPinned(table: ITable, pinned: boolean): Promise<void> {
    await this._request(`tables/${encodeURIComponent(table.name)}/pin`, { method: pinned ? 'PUT' : 'DELETE' });
  }

  /** The path of the table's Arrow file, where the server runs. */
  async path(table: ITable): Promise<string> {
    const response = await this._request(`tables/${encodeURIComponent(table.name)}`, {});
    return ((await response.json()) as { path: string }).path;
  }

  /** Remove the tables that nobody uses; resolves to their names. */
  async collect(): Promise<string[]> {
    const response = await this._request('gc', { method: 'POST' });
    return Object.keys(((await response.json()) as { removed: Record<string, number> }).removed);
  }

  /** The places besides this machine's tables; none of them is asked. */
  async places(): Promise<IPlaceList> {
    return (await (await this._request('places', {})).json()) as IPlaceList;
  }

  /** The tables in a place; a folder or bucket may take seconds. */
  async placed(place: string): Promise<ITable[]> {
    const response = await this._request(`places/${encodeURIComponent(place)}/tables`, {});
    return ((await response.json()) as { tables: ITable[] }).tables;
  }

  /** One of them. Its version is the one that its rows have; a list of a folder may give another. */
  async placedTable(place: string, name: string): Promise<ITable> {
    return (await (await this._request(placed(place, name), {})).json()) as ITable;
  }

  /** Copy a table of this machine to a place, or one from there to this machine. */
  async copy(name: string, way: 'to' | 'from', place: string, replace: boolean): Promise<void> {
    const method = way === 'to' ? 'PUT' : 'POST';
    await this._request(placed(place, name), { method, body: JSON.stringify({ replace }) });
  }

  async unshareIn(place: IPlace, name: string): Promise<void> {
    await this._request(placed(place.name, name), { method: 'DELETE' });
  }

  /** A file of the server's folder, and its ETag; `null` if it is still the one with this ETag. */
  async file(path: string, etag: string): Promise<{ file: IFile; etag: string } | null> {
    const init = etag ? { headers: { 'If-None-Match': etag } } : {};
    const response = await this._request(`file${URLExt.objectToQueryString({ path })}`, init);
    if (response.status === 304) return null;
    return { file: (await response.json()) as IFile, etag: response.headers.get('ETag') ?? '' };
  }

  /** Rows of a table: an Arrow IPC stream. */
  async rows(address: Address, query: IRowsQuery, signal: AbortSignal): Promise<Uint8Array> {
    const response = await this._ask(address, 'rows', question(query), { signal });
    return new Uint8Array(await response.arrayBuffer());
  }

  async summary(address: Address, query: ISummaryQuery, signal: AbortSignal): Promise<ISummary> {
    const response = await this._ask(address, 'summary', question(query), { signal });
    return (await response.json()) as ISummary;
  }

  async find(address: Address, query: IFindQuery, signal: AbortSignal): Promise<IFound> {
    const response = await this._ask(address, 'find', questionWith(query, ['text', 'ignore_case', 'row', 'column', 'direction']), { signal });
    return (await response.json()) as IFound;
  }

  async cell(address: Address, query: ICellQuery, signal: AbortSignal): Promise<INode> {
    const response = await this._ask(address, 'cell', questionWith(query, ['row', 'column']), { signal });
    return (await response.json()) as INode;
  }

  async group(address: Address, query: IGroupQuery, signal: AbortSignal): Promise<IGroups> {
    const response = await this._ask(address, 'group', questionWith(query, ['by', 'of', 'measure']), { signal });
    return (await response.json()) as IGroups;
  }

  async points(address: Address, query: IPointsQuery, signal: AbortSignal): Promise<IPoints> {
    const response = await this._ask(address, 'points', questionWith(query, ['x', 'y']), { signal });
    return (await response.json()) as IPoints;
  }

  /** The first rows of a SELECT over shared tables, as an Arrow IPC stream, and whether there are more. */
  async query(statement: string, signal: AbortSignal): Promise<{ rows: Uint8Array; isCut: boolean }> {
    const response = await this._request('sql', { method: 'POST', body: JSON.stringify({ statement }), signal });
    const isCut = response.headers.get('X-Arrowshm-Cut') === 'true';
    return { rows: new Uint8Array(await response.arrayBuffer()), isCut };
  }

  /** Share all rows of a SELECT; resolves to their number. */
  async shareQuery(statement: string, name: string): Promise<number> {
    const path = `sql/${encodeURIComponent(name)}`;
    const response = await this._request(path, { method: 'PUT', body: JSON.stringify({ statement }) });
    return ((await response.json()) as { num_rows: number }).num_rows;
  }

  /** Make the browser download the view as a file. */
  async save(address: Address, query: Partial<IRowsQuery>, format: FileFormat): Promise<ISaved> {
    const response = await this._ask(address, 'export', { format, ...question(query) }, {});
    const saved = {
      num_rows: Number(response.headers.get('X-Arrowshm-Rows')),
      is_cut: response.headers.get('X-Arrowshm-Cut') === 'true'
    };
    const name = 'table' in address ? address.table : PathExt.basename(address.file).replace(/(?<=.)\..*$/, '');
    return download(await response.blob(), name, format, saved);
  }

  /** A long question, of a filter of a thousand values, say, does not fit into a URL. */
  private _ask(address: Address, what: string, asked: Record<string, string | number>, init: RequestInit): Promise<Response> {
    const path = `${route(address)}/${what}`;
    const named = 'table' in address ? {} : { path: address.file };
    const url = path + URLExt.objectToQueryString({ ...named, ...asked });
    if (url.length <= LONGEST) return this._request(url, init);
    return this._request(path + URLExt.objectToQueryString(named), { ...init, method: 'POST', body: JSON.stringify(asked) });
  }

  private async _request(path: string, init: RequestInit): Promise<Response> {
    const url = URLExt.join(this._settings.baseUrl, 'arrowshm', path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
    } catch (error) {
      if (init.signal?.aborted) throw new DOMException('not wanted any more', 'AbortError');
      throw new RequestError({ kind: 'offline' }, String(error));
    }
    if (response.ok || response.status === 304) return response;
    throw await failure(response);
  }

  private _etag = '';
}

function route(address: Address): string {
  if ('file' in address) return 'file';
  return address.place === undefined ? `tables/${encodeURIComponent(address.table)}` : placed(address.place, address.table);
}

function placed(place: string, name: string): string {
  return `places/${encodeURIComponent(place)}/tables/${encodeURIComponent(name)}`;
}

/** Whether a server of this version and this page are the same release. */
export function isThisVersion(server: string): boolean {
  return server === VERSION;
}

async function failure(response: Response): Promise<RequestError> {
  const { message, reason } = await response
    .json()
    .then((body: { message?: string; reason?: string }) => body)
    // A proxy, or a server without the extension, answers with a page.
    .catch((): { message?: string; reason?: string } => ({}));
  const text = message || response.statusText || `HTTP ${response.status}`;
  // A missing table or file is a 404 of our own: it has a reason.
  if (reason === 'PlaceNotFound') return new RequestError({ kind: 'failed', message: text }, text);
  if (response.status === 404) return new RequestError({ kind: ['TableNotFound', 'FileNotFound'].includes(reason ?? '') ? 'gone' : 'missing' }, text);
  if (response.status === 409) return new RequestError({ kind: 'changed' }, text);
  if (response.status === 401 || response.status === 403) return new RequestError({ kind: 'forbidden' }, text);
  if ([502, 504].includes(response.status)) return new RequestError({ kind: 'offline' }, text);
  return new RequestError({ kind: 'failed', message: text }, text);
}
