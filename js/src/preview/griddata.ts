import { DataModel } from '@lumino/datagrid';
import type { PreviewModel } from './previewmodel';

/** The preview as the grid's data model. A cell that is not here yet is `undefined`. */
export class GridData extends DataModel {
  constructor(private readonly _preview: PreviewModel) {
    super();
    this._rows = _preview.num_rows;
    this._stop = _preview.onChange(change => {
      switch (change.kind) {
        case 'rows':
          return this._resize();
        case 'columns':
          this._rows = _preview.num_rows;
          return this.emitChanged({ type: 'model-reset' });
        case 'cells':
          return this._repaint(change.window.r1, change.window.r2 - change.window.r1 + 1);
        case 'summary':
          return this._repaintHeader();
      }
    });
  }

  rowCount(region: DataModel.RowRegion): number {
    return region === 'body' ? this._rows : 1;
  }

  columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this._preview.shown.length : 1;
  }

  data(region: DataModel.CellRegion, row: number, column: number): unknown {
    switch (region) {
      case 'body':
        return this._preview.cell(row, this._preview.shown[column]);
      case 'row-header':
        return row + 1;
      case 'column-header':
        return this._preview.table?.schema[this._preview.shown[column]];
      case 'corner-header':
        return null;
    }
  }

  /** The sorting or the filters have changed: the headers show it. */
  repaintHeader(): void {
    this._repaintHeader();
  }

  /** Other cells are marked. */
  repaintCells(): void {
    this._repaint(0, this._rows);
  }

  /** The rows are changing now: any change of the selection is not the user's doing. */
  get isChanging(): boolean {
    return this._isChanging;
  }

  dispose(): void {
    this._stop();
  }

  protected override emitChanged(change: DataModel.ChangedArgs): void {
    this._isChanging = true;
    try {
      super.emitChanged(change);
    } finally {
      this._isChanging = false;
    }
  }

  private _resize(): void {
    const before = this._rows;
    this._rows = this._preview.num_rows;
    const span = this._rows - before;
    // The grid keeps its scroll position; it is told the number of rows, since a reset would forget the widths.
    if (span > 0) this.emitChanged({ type: 'rows-inserted', region: 'body', index: before, span });
    if (span < 0) this.emitChanged({ type: 'rows-removed', region: 'body', index: this._rows, span: -span });
    this._repaint(0, this._rows);
    this._repaintHeader();
  }

  private _repaint(row: number, rowSpan: number): void {
    const columnSpan = this.columnCount('body');
    if (rowSpan && columnSpan) this.emitChanged({ type: 'cells-changed', region: 'body', row, column: 0, rowSpan, columnSpan });
  }

  private _repaintHeader(): void {
    const columnSpan = this.columnCount('body');
    if (columnSpan) this.emitChanged({ type: 'cells-changed', region: 'column-header', row: 0, column: 0, rowSpan: 1, columnSpan });
  }

  private _rows: number;
  private _isChanging = false;
  private readonly _stop: () => void;
}
