import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { IListing, ITable, Problem } from './table';
import { VERSION } from './version';

/** The versions of the protocol that this page understands. */
const PROTOCOL = 1;

/** What went wrong, as something that a view can explain. */
export class RequestError extends Error {
  constructor(
    readonly problem: Problem,
    message: string
  ) {
    super(message);
  }
}

/** The server extension over HTTP. */
export class Client {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  /** The list, or `null` if it is still the one that was given last. */
  async list(): Promise<IListing | null> {
    const response = await this._request('tables', {
      headers: this._etag ? { 'If-None-Match': this._etag } : {}
    });
    if (response.status === 304) return null;
    const listing = (await response.json()) as IListing;
    if (listing.protocol !== PROTOCOL) {
      throw new RequestError({ kind: 'version', server: listing.version }, 'another protocol');
    }
    this._etag = response.headers.get('ETag') ?? '';
    return listing;
  }

  /** Have the next list in full. */
  forget(): void {
    this._etag = '';
  }

  async unshare(table: ITable): Promise<void> {
    await this._request(`tables/${encodeURIComponent(table.name)}`, { method: 'DELETE' });
  }

  async setPinned(table: ITable, pinned: boolean): Promise<void> {
    await this._request(`tables/${encodeURIComponent(table.name)}/pin`, { method: pinned ? 'PUT' : 'DELETE' });
  }

  private async _request(path: string, init: RequestInit): Promise<Response> {
    const url = URLExt.join(this._settings.baseUrl, 'arrowshm', path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(url, init, this._settings);
    } catch (error) {
      throw new RequestError({ kind: 'offline' }, String(error));
    }
    if (response.ok || response.status === 304) return response;
    throw await failure(response);
  }

  private _etag = '';
}

/** Whether a server of this version and this page are one release. */
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
  // A table that is gone is a 404 of ours: it has a reason.
  if (response.status === 404 && reason !== 'TableNotFound') return new RequestError({ kind: 'missing' }, text);
  if (response.status === 401 || response.status === 403) return new RequestError({ kind: 'forbidden' }, text);
  if ([502, 504].includes(response.status)) return new RequestError({ kind: 'offline' }, text);
  return new RequestError({ kind: 'failed', message: text }, text);
}
