import { ReactWidget } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import React from 'react';
import { TablesModel } from './model';
import { IHost } from './view/host';
import { Tables } from './view/Tables';

/** The panel at the side; it asks the server only while it can be seen. */
export class Sidebar extends ReactWidget {
  constructor(
    private readonly _model: TablesModel,
    private readonly _host: IHost
  ) {
    super();
    this.addClass('jp-ArrowSHM');
    // The region that a screen reader jumps to.
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _host.format.trans.__('Shared tables'));
    _model.changed.connect(() => this.update());
  }

  override render(): React.JSX.Element {
    return <Tables state={this._model.state} host={this._host} />;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this._model.dispose();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._model.watched = this.isVisible;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.watched = true;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._model.watched = false;
  }

  /** By keyboard or command one arrives at the first thing that can be used. */
  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    (this.node.querySelector<HTMLElement>('input, button') ?? this.node).focus();
  }
}
