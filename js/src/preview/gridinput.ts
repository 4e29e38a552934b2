/** The keys and the mouse in the grid of a preview. */
import { BasicKeyHandler, BasicMouseHandler, DataGrid } from '@lumino/datagrid';
import type { IColumn } from '../shared/table';
import type { IBrush } from './brush';
import { MENU_SIZE } from './renderers';

/** The user's actions in the grid other than moving around. */
export interface IGridEvents {
  /** A header was clicked; `add`: with the shift key. */
  onHeader(column: number, add: boolean): void;
  onColumnMenu(column: number): void;
  /** A column was dragged to the place of another one. */
  onMoveColumn(column: number, to: number): void;
  /** The part of the column's chart at this place of its header, in pixels; `null`: nothing there; `undefined`: no chart. */
  chartPart(column: number, x: number, y: number, width: number): number | null | undefined;
  /** A part in words. */
  chartWords(column: number, part: number): string;
  /** The parts that the mouse is being dragged over; `null`: no longer. */
  onBrushing(parts: IBrush | null): void;
  /** It was dragged over these, or one was clicked; `add`: with the shift key. */
  onBrushed(parts: IBrush, add: boolean): void;
  onOpenCell(row: number, column: number): void;
  onCellMenu(row: number, column: number): void;
  onCopy(): void;
  /** The cell that the keyboard is on; `null` if there is none. */
  onCursor(cell: { row: number; column: number } | null): void;
  /** The selection has changed, and not because other rows came. */
  onSelect(): void;
}

/** The events with the numbers of columns in place of what the grid knows: their places. */
export function byNumber(events: IGridEvents, number: (place: number) => number): IGridEvents {
  return {
    ...events,
    onHeader: (place, add) => events.onHeader(number(place), add),
    onColumnMenu: place => events.onColumnMenu(number(place)),
    onMoveColumn: (place, to) => events.onMoveColumn(number(place), number(to)),
    chartPart: (place, x, y, width) => events.chartPart(number(place), x, y, width),
    chartWords: (place, part) => events.chartWords(number(place), part),
    onBrushing: brush => events.onBrushing(brush && { ...brush, column: number(brush.column) }),
    onBrushed: (brush, add) => events.onBrushed({ ...brush, column: number(brush.column) }, add),
    onOpenCell: (row, place) => events.onOpenCell(row, number(place)),
    onCellMenu: (row, place) => events.onCellMenu(row, number(place)),
    onCursor: cell => events.onCursor(cell && { ...cell, column: number(cell.column) })
  };
}

export class KeyHandler extends BasicKeyHandler {
  constructor(private readonly _events: IGridEvents) {
    super();
  }

  override onKeyDown(grid: DataGrid, event: KeyboardEvent): void {
    const selection = grid.selectionModel;
    const rows = (grid.dataModel?.rowCount('body') ?? 0) - 1;
    const columns = (grid.dataModel?.columnCount('body') ?? 0) - 1;
    // Tab leaves the grid, as it leaves everything else: users without a mouse must be able to.
    if (event.key === 'Tab' || !selection || rows < 0) return;
    const { cursorRow: row, cursorColumn: column } = selection;
    const accel = event.ctrlKey || event.metaKey;
    const go = (toRow: number, toColumn: number): void => {
      const from = event.shiftKey ? { r1: row, c1: column } : { r1: toRow, c1: toColumn };
      const cursor = event.shiftKey ? { cursorRow: row, cursorColumn: column } : { cursorRow: toRow, cursorColumn: toColumn };
      selection.select({ ...from, r2: toRow, c2: toColumn, ...cursor, clear: 'all' });
      grid.scrollToCell(toRow, toColumn);
    };
    if (event.key === 'Home') go(accel ? 0 : row, 0);
    else if (event.key === 'End') go(accel ? rows : row, columns);
    else if (event.key === 'Enter' || event.key === 'F2') this._events.onOpenCell(row, column);
    else if (event.altKey && event.key === 'ArrowDown') this._events.onColumnMenu(column);
    else if (event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10')) this._events.onCellMenu(row, column);
    else if (accel && event.key === 'a') {
      selection.select({ r1: 0, c1: 0, r2: rows, c2: columns, cursorRow: row, cursorColumn: column, clear: 'all' });
    } else return super.onKeyDown(grid, event);
    event.preventDefault();
    event.stopPropagation();
  }

  protected override onKeyC(_grid: DataGrid, event: KeyboardEvent): void {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    this._events.onCopy();
  }

  // Nothing can be deleted here.
  protected override onDelete(): void {}
}

/** How near to a column's edge a press changes its width, as in BasicMouseHandler. */
const EDGE = 6;

export class MouseHandler extends BasicMouseHandler {
  constructor(private readonly _events: IGridEvents) {
    super();
  }

  override onMouseDown(grid: DataGrid, event: MouseEvent): void {
    const hit = grid.hitTest(event.clientX, event.clientY);
    const isEdge = hit.x < EDGE || hit.width - hit.x < EDGE;
    this._pressed = hit.region === 'column-header' && !isEdge && event.button === 0 ? hit : null;
    this._brush = null;
    const part = this._pressed && this._events.chartPart(hit.column, hit.x, hit.y, hit.width);
    if (part !== null && part !== undefined) {
      this._brush = { hit, clientX: event.clientX, part };
      this._events.onBrushing({ column: hit.column, from: part, to: part });
    }
    // All rows have the same height: nobody can change it by mistake.
    const isRowEdge = hit.region === 'row-header' && (hit.y < EDGE || hit.height - hit.y < EDGE);
    if (!this._pressed && !isRowEdge && event.button === 0) super.onMouseDown(grid, event);
  }

  override onMouseMove(grid: DataGrid, event: MouseEvent): void {
    const brush = this._brushedTo(event);
    if (this._pressed && !brush) grid.viewport.node.style.cursor = 'grabbing';
    else if (brush) this._events.onBrushing(brush);
    else super.onMouseMove(grid, event);
  }

  override onMouseUp(grid: DataGrid, event: MouseEvent): void {
    const pressed = this._pressed;
    const brush = this._brushedTo(event);
    this.release();
    if (brush) return this._events.onBrushed(brush, event.shiftKey);
    if (!pressed) return super.onMouseUp(grid, event);
    const hit = grid.hitTest(event.clientX, event.clientY);
    if (hit.region !== 'column-header') return;
    if (hit.column !== pressed.column) return this._events.onMoveColumn(pressed.column, hit.column);
    // Beside the parts of a chart: nobody wants to sort there.
    if (this._events.chartPart(pressed.column, pressed.x, pressed.y, pressed.width) === null) return;
    const isMenu = hit.width - hit.x < MENU_SIZE && hit.y < MENU_SIZE + 6;
    if (isMenu) this._events.onColumnMenu(hit.column);
    else this._events.onHeader(hit.column, event.shiftKey);
  }

  override onMouseHover(grid: DataGrid, event: MouseEvent): void {
    super.onMouseHover(grid, event);
    const hit = grid.hitTest(event.clientX, event.clientY);
    const { style } = grid.viewport.node;
    if (style.cursor === 'ns-resize') style.cursor = '';
    const column = hit.region === 'column-header' ? (grid.dataModel?.data('column-header', 0, hit.column) as IColumn | undefined) : undefined;
    const part = column && this._events.chartPart(hit.column, hit.x, hit.y, hit.width);
    const words = typeof part === 'number' ? this._events.chartWords(hit.column, part) : '';
    grid.viewport.node.title = words || (column ? `${column.name}: ${column.type}` : '');
    if (hit.region === 'column-header' && (style.cursor === '' || style.cursor === 'default')) style.cursor = 'pointer';
  }

  override onMouseDoubleClick(grid: DataGrid, event: MouseEvent): void {
    const { region, row, column } = grid.hitTest(event.clientX, event.clientY);
    if (region === 'body') this._events.onOpenCell(row, column);
  }

  override onContextMenu(grid: DataGrid, event: MouseEvent): void {
    const { region, row, column } = grid.hitTest(event.clientX, event.clientY);
    if (region !== 'column-header' && region !== 'body') return;
    event.preventDefault();
    event.stopPropagation();
    if (region === 'column-header') return this._events.onColumnMenu(column);
    grid.selectionModel?.select({ r1: row, c1: column, r2: row, c2: column, cursorRow: row, cursorColumn: column, clear: 'all' });
    this._events.onCellMenu(row, column);
  }

  /** Also when the mouse is let go outside of the page, or the table changes. */
  override release(): void {
    super.release();
    this._pressed = null;
    if (this._brush) this._events.onBrushing(null);
    this._brush = null;
  }

  /** The mouse may be far from the header that it was pressed in. */
  private _brushedTo(event: MouseEvent): IBrush | null {
    if (!this._brush) return null;
    const { hit, clientX, part } = this._brush;
    const x = Math.max(0, Math.min(hit.width - 1, hit.x + event.clientX - clientX));
    const other = this._events.chartPart(hit.column, x, hit.y, hit.width) ?? part;
    return { column: hit.column, from: Math.min(part, other), to: Math.max(part, other) };
  }

  private _brush: { readonly hit: DataGrid.HitTestResult; readonly clientX: number; readonly part: number } | null = null;
  private _pressed: DataGrid.HitTestResult | null = null;
}
