import { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import React from 'react';
import { ISqlHost, SqlBox } from '../preview/SqlBox';
import type { Format } from '../shared/format';
import type { Client } from './client';
import { tableIcon } from './commands';

export const SQL_COMMAND = 'arrowshm:sql';

export interface ISqlOptions {
  readonly app: JupyterFrontEnd;
  readonly client: Client;
  readonly format: Format;
  readonly labShell: ILabShell | null;
  readonly palette: ICommandPalette | null;
  readonly openPreview: (name: string) => void;
}

/** The command that opens a box for SQL in a tab. */
export function addSqlCommand({ app, client, format, labShell, palette, openPreview }: ISqlOptions): void {
  const { trans } = format;
  const host: ISqlHost = {
    format,
    query: (statement, signal) => client.query(statement, signal),
    share: (statement, name) => client.shareQuery(statement, name),
    open: openPreview,
    notify: (message, isError = false) => {
      if (isError) Notification.error(message);
      else Notification.success(message, { autoClose: 2500 });
    }
  };
  let made = 0;
  app.commands.addCommand(SQL_COMMAND, {
    label: trans.__('Query Shared Tables with SQL'),
    icon: tableIcon,
    describedBy: { args: { type: 'object', properties: { statement: { type: 'string', description: 'The statement to begin with' } } } },
    execute: args => {
      const tab = new SqlTab(host, typeof args.statement === 'string' ? args.statement : '');
      tab.id = `jp-arrowshm-sql-${++made}`;
      tab.title.label = trans.__('SQL');
      tab.title.icon = tableIcon;
      tab.title.closable = true;
      tab.title.caption = trans.__('SQL over shared tables');
      app.shell.add(tab, labShell ? 'main' : 'down', { type: 'Shared Tables' });
      app.shell.activateById(tab.id);
    }
  });
  palette?.addItem({ command: SQL_COMMAND, category: trans.__('Shared Tables') });
}

class SqlTab extends ReactWidget {
  constructor(
    private readonly _host: ISqlHost,
    private readonly _first: string
  ) {
    super();
    this.addClass('jp-ArrowSHM');
    this.addClass('jp-ArrowSHM-sqlTab');
  }

  override render(): React.JSX.Element {
    return <SqlBox host={this._host} first={this._first} />;
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    void this.renderPromise?.then(() => this.node.querySelector('textarea')?.focus());
  }
}
