import { BasicSelectionModel, DataGrid } from '@lumino/datagrid';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import type { Format } from '../shared/format';
import type { IBrush } from './brush';
import { Frozen } from './frozen';
import { LookedAtGrid } from './gridcanvas';
import { GridData } from './griddata';
import { byNumber, IGridEvents, KeyHandler, MouseHandler } from './gridinput';
import type { PreviewModel } from './previewmodel';
import { CellPainter, HEADER_HEIGHT, HeaderPainter, headerWidth, IMark, RowNumberPainter, SHORT_HEADER_HEIGHT } from './renderers';
import type { IWindow } from './rows';
import { gridStyle, ITheme, themeOf } from './theme';

const WIDEST = 360;
const NARROWEST = 92;
const TIMES = 168;

/** The grid of one preview. It can be mounted into any element, and needs nothing else of the page. */
export class Grid {
  constructor(
    private readonly _preview: PreviewModel,
    private readonly _format: Format,
    events: IGridEvents
  ) {
    this._data = new GridData(_preview);
    this._hasColumns = _preview.shown.length > 0;
    const onLook = (): void => {
      this.look();
      this._frozen?.sync();
    };
    this._grid = new LookedAtGrid(onLook, _preview.isRowsOnly ? SHORT_HEADER_HEIGHT : HEADER_HEIGHT);
    this._grid.dataModel = this._data;
    const numbered = byNumber(events, place => _preview.shown[place]);
    this._grid.keyHandler = new KeyHandler(numbered);
    this._grid.mouseHandler = new MouseHandler(numbered);
    const selection = new BasicSelectionModel({ dataModel: this._data });
    this._grid.selectionModel = selection;
    selection.changed.connect(() => {
      const { cursorRow: row, cursorColumn: column, isEmpty } = selection;
      numbered.onCursor(isEmpty || row < 0 ? null : { row, column });
      if (!this._data.isChanging) events.onSelect();
    });
    this._frozen = new Frozen(this._grid, numbered, () => _preview.pinned);
    this._stop = _preview.onChange(change => {
      if (change.kind === 'columns') {
        this._fitted = false;
        selection.clear();
        // If the keyboard was here before the first columns, it is on one of their cells.
        this._isArriving ||= !this._hasColumns && document.activeElement === this._grid.viewport.node;
        this._hasColumns = true;
        this._describe();
      }
      if (change.kind !== 'cells' && change.kind !== 'rows') return;
      this._fit();
      this._arrive();
    });
    this._describe();
    this._grid.viewport.node.addEventListener('focus', () => {
      this._isArriving = true;
      this._arrive();
    });
  }

  /** Show it in the element, which must be in the document. */
  mount(place: HTMLElement): void {
    this._theme = themeOf(place);
    this._restyle();
    Widget.attach(this._grid, place);
    this._frozen.mount(place);
    // Nothing else tells it: the element may not be inside a widget of JupyterLab.
    this._observer = new ResizeObserver(() => MessageLoop.sendMessage(this._grid, Widget.ResizeMessage.UnknownSize));
    this._observer.observe(place);
    this._fit();
  }

  unmount(): void {
    this._observer?.disconnect();
    this._frozen.unmount();
    if (this._grid.isAttached) Widget.detach(this._grid);
  }

  /** The page has another theme. */
  retheme(): void {
    const place = this._grid.node.parentElement;
    if (!place) return;
    this._theme = themeOf(place);
    this._restyle();
  }

  /** Show which parts of a chart are being chosen. */
  set brush(brush: IBrush | null) {
    this._brush = brush;
    this._data.repaintHeader();
  }

  /** Mark the cells that have this text; an empty one marks none. */
  mark(text: string, ignoreCase: boolean): void {
    if (text === this._mark.text && ignoreCase === this._mark.ignoreCase) return;
    this._mark = { text, ignoreCase };
    this._data.repaintCells();
  }

  focus(): void {
    this._grid.activate();
  }

  /** Put the cursor there and scroll it into view. */
  go(row: number, number: number): void {
    const selection = this._grid.selectionModel;
    const column = Math.max(0, this._preview.place(number));
    selection?.select({ r1: row, c1: column, r2: row, c2: column, cursorRow: row, cursorColumn: column, clear: 'all' });
    // To the top, not just into view: a user who jumps to a row wants to see what comes after it.
    this._grid.scrollTo(this._grid.scrollX, this._grid.rowOffset('body', row));
    this._grid.scrollToColumn(column);
  }

  /** Put the cursor on the cell, and scroll it into view if it is not. */
  goCell(row: number, number: number): void {
    const column = this._preview.place(number);
    if (column < 0) return;
    this._grid.selectionModel?.select({ r1: row, c1: column, r2: row, c2: column, cursorRow: row, cursorColumn: column, clear: 'all' });
    this._grid.scrollToCell(row, column);
  }

  /** Put the cursor into the column, in its present row or in the first one in view, and scroll it into view. */
  goColumn(number: number): void {
    const selection = this._grid.selectionModel;
    const column = this._preview.place(number);
    if (!selection || column < 0) return;
    const row = selection.isEmpty ? Math.max(0, this._grid.currentViewport?.firstRow ?? 0) : Math.max(0, selection.cursorRow);
    selection.select({ r1: row, c1: column, r2: row, c2: column, cursorRow: row, cursorColumn: column, clear: 'all' });
    this._grid.scrollToColumn(column);
  }

  /** Select whole rows, in ascending order, and scroll the first into view. */
  selectRows(rows: readonly number[]): void {
    const selection = this._grid.selectionModel;
    selection?.clear();
    const cursor = { cursorRow: rows[0], cursorColumn: 0, clear: 'none' } as const;
    for (let at = 0, next = 0; at < rows.length; at = next) {
      do next++;
      while (rows[next] === rows[next - 1] + 1);
      selection?.select({ r1: rows[at], c1: 0, r2: rows[next - 1], c2: this._preview.shown.length - 1, ...cursor });
    }
    if (rows.length) this._grid.scrollToRow(rows[0]);
  }

  /** The selection, from edge to edge; `null` if there is none. */
  selected(): IWindow | null {
    const selection = this._grid.selectionModel?.currentSelection();
    if (!selection) return null;
    const { r1, r2, c1, c2 } = selection;
    const rows = this._preview.num_rows - 1;
    const columns = this._preview.shown.length - 1;
    const clamp = (value: number, most: number): number => Math.max(0, Math.min(value, most));
    return {
      r1: clamp(Math.min(r1, r2), rows),
      r2: clamp(Math.max(r1, r2), rows),
      c1: clamp(Math.min(c1, c2), columns),
      c2: clamp(Math.max(c1, c2), columns)
    };
  }

  /** The place of a column's header, in pixels from the left of the grid; it is scrolled into view first. */
  headerPlace(number: number): { left: number; right: number; bottom: number } {
    const column = this._preview.place(number);
    const isPinned = column < this._preview.pinned;
    if (!isPinned) this._grid.scrollToColumn(column);
    const left = this._grid.headerWidth + this._grid.columnOffset('body', column) - (isPinned ? 0 : this._grid.scrollX);
    return { left, right: left + this._grid.columnSize('body', column), bottom: this._grid.headerHeight };
  }

  /** The place of a cell's lower left corner, in pixels from the upper left corner of the grid. */
  cellPlace(row: number, number: number): { left: number; top: number } {
    const column = this._preview.place(number);
    const isPinned = column < this._preview.pinned;
    if (isPinned) this._grid.scrollToRow(row);
    else this._grid.scrollToCell(row, column);
    const left = this._grid.headerWidth + this._grid.columnOffset('body', column) - (isPinned ? 0 : this._grid.scrollX);
    return { left, top: this._grid.headerHeight + this._grid.rowOffset('body', row + 1) - this._grid.scrollY };
  }

  /** Fetch what is in view. */
  look(): void {
    const region = this._grid.currentViewport;
    if (!region || !this._preview.shown.length) return;
    const { firstRow, lastRow, firstColumn, lastColumn } = region;
    this._preview.look({
      r1: Math.max(0, firstRow),
      r2: Math.max(0, lastRow),
      c1: Math.max(0, firstColumn),
      c2: lastColumn < 0 ? this._preview.shown.length - 1 : lastColumn
    });
  }

  dispose(): void {
    this._stop();
    this.unmount();
    this._frozen.dispose();
    this._data.dispose();
    this._grid.dispose();
  }

  private _restyle(): void {
    const theme = this._theme;
    if (!theme) return;
    const brush = (): IBrush | null => this._brush;
    const mark = (): IMark => this._mark;
    const look = {
      preview: this._preview,
      format: this._format,
      theme,
      get brush() {
        return brush();
      },
      get mark() {
        return mark();
      }
    };
    const cells = new CellPainter(look);
    const numbers = new RowNumberPainter(look);
    for (const grid of [this._grid, this._frozen.grid]) {
      grid.style = gridStyle(theme);
      grid.cellRenderers.update({
        body: cells,
        'row-header': numbers,
        'corner-header': numbers,
        'column-header': new HeaderPainter(look)
      });
    }
  }

  /** Make columns as wide as their contents, once, when the first rows are there: a width that a user has set stays. */
  private _fit(): void {
    const gc = document.createElement('canvas').getContext('2d');
    if (!this._theme || !gc) return;
    gc.font = this._theme.smallFont;
    const digits = gc.measureText(this._format.count(Math.max(1, this._preview.num_rows))).width;
    this._grid.resizeColumn('row-header', 0, Math.ceil(digits) + 20);
    if (this._fitted || !this._preview.facts) return;
    this._fitted = true;
    const { _preview: preview, _theme: theme } = this;
    preview.shown.slice(0, 200).forEach((i, place) => {
      const column = preview.table?.schema[i];
      if (!column) return;
      // The header needs room for a range of times.
      let width = Math.max(headerWidth(gc, { theme, format: this._format }, column), preview.field(i)?.kind === 'time' ? TIMES : 0);
      gc.font = theme.font;
      const style = preview.style(i, this._format);
      for (let row = 0; row < Math.min(40, preview.num_rows); row++) {
        const cell = preview.cell(row, i);
        if (cell === undefined) break;
        const text = cell === null ? 'null' : style.text(cell).slice(0, 80);
        // The longest part before the point and the longest part after it may be in different cells.
        const fraction = style.isRight ? '0'.repeat(Math.max(0, style.fraction - style.fractionOf(text).length)) : '';
        width = Math.max(width, gc.measureText(text + fraction).width + 18);
      }
      this._grid.resizeColumn('body', place, Math.ceil(Math.min(WIDEST, Math.max(NARROWEST, width))));
    });
  }

  /** A canvas says nothing to a screen reader: the element that has the keyboard says what it is. */
  private _describe(): void {
    const { trans } = this._format;
    const { node } = this._grid.viewport;
    node.tabIndex = 0;
    node.setAttribute('role', 'application');
    node.setAttribute('aria-roledescription', trans.__('grid'));
    node.setAttribute(
      'aria-label',
      trans.__('Rows of %1. The arrow keys move between cells, and Alt+Down opens the column menu.', this._preview.table?.name ?? '')
    );
  }

  /**
   * A user who comes by keyboard is put on a cell as soon as there is one.
   *
   * Once per visit: where the rows of a new version took the cell away, another one in its place would be reported to
   * the widget's `selected` as the user's choice.
   */
  private _arrive(): void {
    const selection = this._grid.selectionModel;
    const region = this._grid.currentViewport;
    if (!this._isArriving || !selection || !region || region.firstRow < 0) return;
    this._isArriving = false;
    if (document.activeElement !== this._grid.viewport.node || !selection.isEmpty) return;
    const [row, column] = [region.firstRow, Math.max(0, region.firstColumn)];
    selection.select({ r1: row, c1: column, r2: row, c2: column, cursorRow: row, cursorColumn: column, clear: 'all' });
  }

  private readonly _data: GridData;
  private readonly _grid: DataGrid;
  private readonly _frozen: Frozen;
  private readonly _stop: () => void;
  private _theme: ITheme | null = null;
  private _observer: ResizeObserver | undefined;
  private _brush: IBrush | null = null;
  private _mark: IMark = { text: '', ignoreCase: true };
  private _fitted = false;
  private _hasColumns = false;
  private _isArriving = false;
}
