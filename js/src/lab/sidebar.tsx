import { ReactWidget } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import React from 'react';
import { IListOptions } from '../shared/listing';
import { TablesModel } from './tablesmodel';
import { IListHost } from '../list/listhost';
import { Tables } from '../list/Tables';

/** The panel at the side; it asks the server only while it can be seen. */
export class Sidebar extends ReactWidget {
  /**
   * @param _options - The options that the user has set in the list.
   * @param _save - Called with the options when the user changes them.
   */
  constructor(
    private readonly _model: TablesModel,
    private readonly _host: IListHost,
    private _options: IListOptions,
    private readonly _save: (options: IListOptions) => void
  ) {
    super();
    this.addClass('jp-ArrowSHM');
    // The region that screen readers can jump to.
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _host.format.trans.__('Shared tables'));
    _model.changed.connect(() => this.update());
  }

  /** Restore what was stored when the page was last open. */
  set options(options: IListOptions) {
    this._options = options;
    this.update();
  }

  override render(): React.JSX.Element {
    return <Tables state={this._model.state} host={this._host} options={this._options} onOptions={this._save} />;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this._unwatch?.();
    this._model.dispose();
    super.dispose();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) this._watch();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._watch();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._unwatch?.();
    this._unwatch = undefined;
  }

  /** The keyboard or a command leads to the first element that can be used. */
  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    (this.node.querySelector<HTMLElement>('input, button') ?? this.node).focus();
  }

  private _watch(): void {
    this._unwatch ??= this._model.watch();
  }

  private _unwatch: (() => void) | undefined;
}
