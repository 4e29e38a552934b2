import { ILabShell, ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Notification, WidgetTracker } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { JSONObject } from '@lumino/coreutils';
import { Message } from '@lumino/messaging';
import React from 'react';
import { Client } from './client';
import { CommandIDs, tableIcon } from './commands';
import type { Format } from '../shared/format';
import { SQL_COMMAND } from './sqltab';
import { ServerSource } from './serversource';
import { TablesModel } from './tablesmodel';
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
}

/** The open tables, each in a tab. */
export class PreviewTabs {
  constructor(private readonly _options: IPreviewTabsOptions) {
    this._host = {
      format: _options.format,
      copyText: text => Clipboard.copyToSystem(text),
      openSql: statement => void _options.app.commands.execute(SQL_COMMAND, { statement }),
      notify: (message, isError = false) => {
        if (isError) Notification.error(message);
        else Notification.success(message, { autoClose: 2500 });
      }
    };
    _options.app.commands.addCommand(CommandIDs.restore, {
      describedBy: { args: { type: 'object', properties: { name: { type: 'string' } } } },
      execute: args => {
        const { name, view, follow, numbers } = args as { name: string } & Partial<Record<keyof IPreviewOptions, unknown>>;
        this.open(name, { view: restoredView(view), follow: follow !== false, numbers: restoredNumbers(numbers) });
      }
    });
  }

  /** Each table has one tab. */
  open(name: string, options: IPreviewOptions = PREVIEW_OPTIONS): void {
    const { app, labShell } = this._options;
    let tab = this._tabs.find(one => one.name === name);
    if (!tab) {
      tab = this._make(name, options);
      // Notebook 7 has one document per page: everything else goes below it.
      if (!labShell) tab.addClass('jp-mod-below');
      app.shell.add(tab, labShell ? 'main' : 'down', { type: 'Shared Table' });
    }
    app.shell.activateById(tab.id);
  }

  restore(restorer: ILayoutRestorer): void {
    void restorer.restore(this._tabs, {
      command: CommandIDs.restore,
      args: tab => ({ name: tab.name, ...(tab.options as unknown as JSONObject) }),
      name: tab => tab.name
    });
  }

  private _make(name: string, options: IPreviewOptions): PreviewTab {
    const { client, model } = this._options;
    const preview = new PreviewModel(new ServerSource(name, client, model), options);
    const tab = new PreviewTab(name, preview, this._host);
    tab.id = `jp-arrowshm-preview-${++this._made}`;
    tab.title.label = name;
    tab.title.icon = tableIcon;
    tab.title.closable = true;
    tab.title.caption = this._options.format.trans.__('Shared table %1', name);
    void this._tabs.add(tab);
    preview.onChange(change => {
      if (change.kind === 'rows' || change.kind === 'state') void this._tabs.save(tab);
    });
    return tab;
  }

  private readonly _host: IPreviewHost;
  private readonly _tabs = new WidgetTracker<PreviewTab>({ namespace: 'arrowshm-preview' });
  private _made = 0;
}

class PreviewTab extends ReactWidget {
  constructor(
    readonly name: string,
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
    (this.node.querySelector<HTMLElement>('.lm-DataGrid-viewport') ?? this.node).focus();
  }
}
