import { Clipboard, Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { Client } from './client';
import { confirm } from './confirm';
import { LabPlaces } from './labplaces';
import { attachCell, attachedBy, attachLine, detachCell, IPart, Language, languageOf, magicLine, partOf } from '../shared/code';
import { Format } from '../shared/format';
import { TablesModel } from './tablesmodel';
import { IPlace } from '../shared/place';
import { ITable } from '../shared/table';
import { IListHost } from '../list/listhost';

export interface ILabHostOptions {
  client: Client;
  model: TablesModel;
  format: Format;
  notebooks: INotebookTracker | null;
  documents: IDocumentManager | null;
  openPreview: (name: string) => void;
  openPlaced: (place: IPlace, name: string) => void;
}

/** The things that the view can ask JupyterLab and Notebook 7 to do. */
export class LabHost implements IListHost {
  constructor(private readonly _options: ILabHostOptions) {
    this.format = _options.format;
    this.places = new LabPlaces({
      client: _options.client,
      format: _options.format,
      hasNotebook: () => this._notebook !== null,
      write: cell => this._write(cell),
      copyAloud: text => this._copyAloud(text),
      language: () => this._language,
      refresh: () => this.refresh(),
      openPreview: (place, name) => _options.openPlaced(place, name)
    });
  }

  readonly format: Format;
  readonly places: LabPlaces;
  readonly hasMenu = true;

  get insert(): ((table: ITable) => void) | null {
    return this._notebook ? table => this.write(table, attachCell) : null;
  }

  /** Write code about the table into the notebook that was used last. */
  write(table: ITable, cell: (name: string, language: Language, part: IPart) => string): void {
    this._write(language => cell(attachedBy(table), language, partOf(table)));
  }

  insertDetach(table: ITable): void {
    this.write(table, detachCell);
  }

  preview(table: ITable): void {
    this.open(table.name);
  }

  open(name: string): void {
    this._options.openPreview(name);
  }

  copyCode(table: ITable, language?: Language): void {
    this._copyAloud(attachLine(attachedBy(table), language ?? this._language, partOf(table)));
  }

  /** The line that attaches a file, by its path from the folder of the notebook that was used last. */
  copyFileLine(path: string): void {
    this._copyAloud(magicLine(pathForCode(path, this._notebook)));
  }

  copyPath(table: ITable): void {
    void this._do(async () => this._copyAloud(await this._options.client.path(table)));
  }

  copyText(text: string): void {
    // The browser's own clipboard needs HTTPS, which many servers do not have.
    Clipboard.copyToSystem(text);
  }

  setPinned(table: ITable, pinned: boolean): void {
    void this._do(() => this._options.client.setPinned(table, pinned));
  }

  unshare(table: ITable): void {
    void this._unshare(table);
  }

  openNotebook(path: string): void {
    const { notebooks, documents } = this._options;
    const open = notebooks?.find(panel => panel.context.path === path);
    // In Notebook 7 the document manager would open a notebook that is already here in another browser tab.
    if (open && notebooks?.currentWidget === open) open.activate();
    else documents?.openOrReveal(path);
  }

  refresh(): void {
    void this._options.model.refresh();
  }

  collect(tables: readonly ITable[]): void {
    void this._collect(tables);
  }

  private get _notebook(): NotebookPanel | null {
    return this._options.notebooks?.currentWidget ?? null;
  }

  /** The language of the notebook that was used last; Python where there is none. */
  private get _language(): Language {
    return (this._notebook && currentLanguage(this._notebook)) ?? 'python';
  }

  private _write(cell: (language: Language) => string): void {
    const panel = this._notebook;
    if (!panel) return;
    const language = currentLanguage(panel);
    if (language) void insertCell(panel, cell(language));
    else {
      const { trans } = this.format;
      Notification.warning(trans.__('Tables can be attached in Python, Julia and R, but this notebook uses another language.'));
    }
  }

  private _copyAloud(text: string): void {
    this.copyText(text);
    Notification.success(this.format.trans.__('Copied: %1', text), { autoClose: 2000 });
  }

  private async _unshare(table: ITable): Promise<void> {
    const { trans } = this.format;
    const others = table.holders.length
      ? table.origin
        ? trans.__(
            'It is in use by %1. They keep what they have attached, and whoever attaches it next loads it again.',
            this.format.names(table.holders)
          )
        : trans.__(
            'It is in use by %1. They keep what they have attached, but nobody else can attach it afterwards.',
            this.format.names(table.holders)
          )
      : trans.__('Nobody uses it. This frees %1.', this.format.size(table.nbytes));
    const title = table.origin ? trans.__('Remove %1?', table.name) : trans.__('Unshare %1?', table.name);
    const action = table.origin ? trans.__('Remove') : trans.__('Unshare');
    if (await confirm(trans, title, others, action)) {
      await this._do(() => this._options.client.unshare(table));
    }
  }

  private async _collect(tables: readonly ITable[]): Promise<void> {
    const { trans } = this.format;
    const bytes = tables.reduce((sum, table) => sum + table.nbytes, 0);
    const names = this.format.names(tables.map(table => ({ label: table.name })));
    const title = trans._n('Remove %2 unused table?', 'Remove %2 unused tables?', tables.length, this.format.count(tables.length));
    const body = trans.__('Nobody uses %1. This frees %2.', names, this.format.size(bytes));
    if (!(await confirm(trans, title, body, trans.__('Remove')))) return;
    await this._do(async () => {
      // Somebody may have attached one of them in the meantime: the server looks again.
      const removed = await this._options.client.collect();
      Notification.success(trans.__('Removed: %1', this.format.names(removed.map(label => ({ label })))), { autoClose: 4000 });
    });
  }

  /** Change something on the server, and show the result. */
  private async _do(change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      Notification.error(error instanceof Error ? error.message : String(error));
    }
    await this._options.model.refresh();
  }
}

/** The path of a file from the folder of a notebook, or else from the server's. */
export function pathForCode(path: string, notebook: NotebookPanel | null): string {
  const folder = PathExt.dirname(notebook?.context.localPath ?? '');
  const relative = PathExt.relative(`/${folder}`, `/${path}`);
  return relative.startsWith('../') ? relative : `./${relative}`;
}

/** Insert it into the selected cell if that is an empty code cell, otherwise into a new one below it. */
async function insertCell(panel: NotebookPanel, source: string): Promise<void> {
  const notebook = panel.content;
  const isFree = notebook.activeCell?.model.type === 'code' && !notebook.activeCell.model.sharedModel.source.trim();
  if (!isFree) NotebookActions.insertBelow(notebook);
  const cell = notebook.activeCell;
  if (!cell) return;
  if (cell.model.type !== 'code') NotebookActions.changeCellType(notebook, 'code');
  notebook.activeCell?.model.sharedModel.setSource(source);
  // Shift-Enter runs it from here.
  panel.activate();
  notebook.mode = 'command';
  await notebook.scrollToItem(notebook.activeCellIndex);
}

/** The language of the notebook's kernel, even before it has started; `null` if tables cannot be attached in it. */
function currentLanguage(panel: NotebookPanel): Language | null {
  const { session, specsManager, kernelPreference } = panel.sessionContext;
  const spec = specsManager.specs?.kernelspecs[session?.kernel?.name ?? kernelPreference.name ?? ''];
  const name = spec?.language || panel.context.model.defaultKernelLanguage;
  return name ? languageOf(name) : 'python';
}
