import { ILabShell, ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Notification, WidgetTracker } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { JSONObject } from '@lumino/coreutils';
import { Message } from '@lumino/messaging';
import React from 'react';
import { Client } from './client';
import { CommandIDs, tableIcon } from './commands';
import type { Format } from '../shared/format';
import { SQL_COMMAND } from './sqltab';
import { FileSource, PlaceSource, TableSource } from './serversource';
import { TablesModel } from './tablesmodel';
import type { IPlace } from '../shared/place';
import type { IPreviewSource } from '../preview/source';
import { IPreviewHost } from '../preview/previewhost';
import { IPreviewOptions, PREVIEW_OPTIONS, PreviewModel } from '../preview/previewmodel';
import { Preview } from '../preview/Preview';
import { restoredNumbers } from '../preview/columnstyle';
import { restoredView } from '../preview/query';

export interface IPreviewTabsOptions {
  readonly app: JupyterFrontEnd;
  readonly client: Client;
  readonly model: TablesModel;
  readonly format: Format;
  readonly labShell: ILabShell | null;
  /** The path of a file for code in the notebook that was used last. */
  readonly pathForCode: (path: string) => string;
  /** Copy a table of a place to this machine; resolves to whether it was copied. */
  readonly copyHere: (place: string, name: string) => Promise<boolean>;
}

/** Where a table is; only an open tab knows of what kind the place is, since the places may not answer after a reload. */
type Where = Pick<IPlace, 'name' | 'kind'>;

/** The name of a table, of this machine or of another place, or the path of a file. */
interface Address {
  readonly name?: string;
  readonly place?: Where;
  readonly file?: string;
}

/** The open tables, each in a tab. */
export class PreviewTabs {
  constructor(private readonly _options: IPreviewTabsOptions) {
    this._plainHost = {
      format: _options.format,
      copyText: text => Clipboard.copyToSystem(text),
      notify: (message, isError = false) => {
        if (isError) Notification.error(message);
        else Notification.success(message, { autoClose: 2500 });
      }
    };
    // SQL is for what is shared on this machine.
    this._host = { ...this._plainHost, openSql: statement => void _options.app.commands.execute(SQL_COMMAND, { statement }) };
    _options.app.commands.addCommand(CommandIDs.restore, {
      describedBy: { args: { type: 'object', properties: { name: { type: 'string' }, place: { type: 'object' }, file: { type: 'string' } } } },
      execute: args => {
        const { name, place, file, view, follow, numbers } = args as Partial<Address> & Partial<Record<keyof IPreviewOptions, unknown>>;
        const options = { view: restoredView(view), follow: follow !== false, numbers: restoredNumbers(numbers) };
        if (file !== undefined) this.openFile(file, options);
        else if (name !== undefined && place) this.openPlaced(place, name, options);
        else if (name !== undefined) this.open(name, options);
      }
    });
  }

  /** Each table has one tab. */
  open(name: string, options: IPreviewOptions = PREVIEW_OPTIONS): void {
    const { client, format, model } = this._options;
    this._open({ name }, () => {
      const tab = this._make({ name }, new TableSource(name, client, model), options, this._host);
      tab.title.label = name;
      tab.title.caption = format.trans.__('Shared table %1', name);
      return tab;
    });
  }

  /** So has each file, by its path in the server's folder. */
  openFile(file: string, options: IPreviewOptions = PREVIEW_OPTIONS): void {
    const { client, format, pathForCode } = this._options;
    this._open({ file }, () => {
      const tab = this._make({ file }, new FileSource(file, client, () => pathForCode(file)), options, this._plainHost);
      tab.title.label = PathExt.basename(file);
      tab.title.caption = format.trans.__('The file %1, as a table', file);
      return tab;
    });
  }

  /** So has each table of a place. */
  openPlaced({ name: where, kind }: Where, name: string, options: IPreviewOptions = PREVIEW_OPTIONS): void {
    const { client, format, copyHere } = this._options;
    const address = { name, place: { name: where, kind } };
    const copy = async (): Promise<void> => {
      if (await copyHere(where, name)) this.open(name);
    };
    this._open(address, () => {
      const host = { ...this._plainHost, copyHere: () => void copy() };
      const tab = this._make(address, new PlaceSource(address.place, name, client), options, host);
      tab.title.label = format.trans.__('%1 (%2)', name, where);
      tab.title.caption = format.trans.__('The table %1 in %2', name, where);
      return tab;
    });
  }

  private _open({ name, place, file }: Address, make: () => PreviewTab): void {
    const { app, labShell } = this._options;
    let tab = this._tabs.find(({ address }) => address.name === name && address.place?.name === place?.name && address.file === file);
    if (!tab) {
      tab = make();
      // Notebook 7 has one document per page: everything else goes below it.
      if (!labShell) tab.addClass('jp-mod-below');
      app.shell.add(tab, labShell ? 'main' : 'down', { type: 'Shared Table' });
    }
    app.shell.activateById(tab.id);
  }

  restore(restorer: ILayoutRestorer): void {
    void restorer.restore(this._tabs, {
      command: CommandIDs.restore,
      args: tab => ({ ...(tab.address as JSONObject), ...(tab.options as unknown as JSONObject) }),
      // A table has no slash in its name.
      name: ({ address: { name, place, file } }) => (place ? `${name}/${place.name}` : (name ?? `/${file}`))
    });
  }

  private _make(address: Address, source: IPreviewSource, options: IPreviewOptions, host: IPreviewHost): PreviewTab {
    const preview = new PreviewModel(source, options);
    const tab = new PreviewTab(address, preview, host);
    tab.id = `jp-arrowshm-preview-${++this._made}`;
    tab.title.icon = tableIcon;
    tab.title.closable = true;
    void this._tabs.add(tab);
    preview.onChange(change => {
      if (change.kind === 'rows' || change.kind === 'state') void this._tabs.save(tab);
    });
    return tab;
  }

  private readonly _host: IPreviewHost;
  /** For what is not among this machine's tables. */
  private readonly _plainHost: IPreviewHost;
  private readonly _tabs = new WidgetTracker<PreviewTab>({ namespace: 'arrowshm-preview' });
  private _made = 0;
}

class PreviewTab extends ReactWidget {
  constructor(
    readonly address: Address,
    private readonly _preview: PreviewModel,
    private readonly _host: IPreviewHost
  ) {
    super();
    this.addClass('jp-ArrowSHM');
    this.addClass('jp-ArrowSHM-previewTab');
  }

  get options(): IPreviewOptions {
    return this._preview.options;
  }

  override render(): React.JSX.Element {
    return <Preview preview={this._preview} host={this._host} />;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    super.dispose();
    this._preview.dispose();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this._preview.refresh();
    (this.node.querySelector<HTMLElement>('.lm-DataGrid-viewport') ?? this.node).focus();
  }
}
