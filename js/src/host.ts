import { Clipboard, Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker, NotebookActions, NotebookPanel } from '@jupyterlab/notebook';
import { Client } from './client';
import { attachCell, attachLine, Language, languageOf } from './code';
import { Format } from './format';
import { TablesModel } from './model';
import { ITable } from './table';
import { IHost } from './view/host';

export interface ILabHostOptions {
  client: Client;
  model: TablesModel;
  format: Format;
  notebooks: INotebookTracker | null;
  documents: IDocumentManager | null;
}

/** What the view can ask of JupyterLab and of Notebook 7. */
export class LabHost implements IHost {
  constructor(private readonly _options: ILabHostOptions) {
    this.format = _options.format;
  }

  readonly format: Format;

  get insert(): ((table: ITable) => void) | null {
    const panel = this._options.notebooks?.currentWidget;
    return panel ? table => void this._insert(panel, table) : null;
  }

  copyCode(table: ITable): void {
    const panel = this._options.notebooks?.currentWidget;
    const code = attachLine(table.name, (panel && currentLanguage(panel)) || 'python');
    this.copyText(code);
    Notification.success(this.format.trans.__('Copied: %1', code), { autoClose: 2000 });
  }

  copyText(text: string): void {
    // The browser's own clipboard needs HTTPS, which many servers have not.
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
    // In Notebook 7 the document manager would open a notebook that is here in another tab of the browser.
    if (open && notebooks?.currentWidget === open) open.activate();
    else documents?.openOrReveal(path);
  }

  refresh(): void {
    void this._options.model.refresh();
  }

  private async _insert(panel: NotebookPanel, table: ITable): Promise<void> {
    const { trans } = this.format;
    const language = currentLanguage(panel);
    if (!language) {
      Notification.warning(trans.__('Tables can be attached in Python and in Julia, and this notebook is neither.'));
      return;
    }
    const notebook = panel.content;
    const isFree = notebook.activeCell?.model.type === 'code' && !notebook.activeCell.model.sharedModel.source.trim();
    if (!isFree) NotebookActions.insertBelow(notebook);
    const cell = notebook.activeCell;
    if (!cell) return;
    if (cell.model.type !== 'code') NotebookActions.changeCellType(notebook, 'code');
    notebook.activeCell?.model.sharedModel.setSource(attachCell(table.name, language));
    // Shift-Enter runs it from here.
    panel.activate();
    notebook.mode = 'command';
    await notebook.scrollToItem(notebook.activeCellIndex);
  }

  private async _unshare(table: ITable): Promise<void> {
    const { trans } = this.format;
    const others = table.holders.length
      ? trans.__(
          'In use by %1. Whoever has it attached keeps it; nobody else can attach it after this.',
          this.format.names(table.holders)
        )
      : trans.__('Nobody uses it: its %1 are freed.', this.format.size(table.nbytes));
    const answer = await showDialog({
      title: trans.__('Unshare %1?', table.name),
      body: others,
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.warnButton({ label: trans.__('Unshare') })
      ],
      defaultButton: 0
    });
    if (answer.button.accept) await this._do(() => this._options.client.unshare(table));
  }

  /** Change something on the server, and show what came of it. */
  private async _do(change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      Notification.error(error instanceof Error ? error.message : String(error));
    }
    await this._options.model.refresh();
  }
}

/** The language of the notebook's kernel, also before that has started; `null` if tables cannot be attached in it. */
function currentLanguage(panel: NotebookPanel): Language | null {
  const { session, specsManager, kernelPreference } = panel.sessionContext;
  const spec = specsManager.specs?.kernelspecs[session?.kernel?.name ?? kernelPreference.name ?? ''];
  const name = spec?.language || panel.context.model.defaultKernelLanguage;
  return name ? languageOf(name) : 'python';
}
