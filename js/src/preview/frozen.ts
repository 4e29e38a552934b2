/** The pinned columns: a second grid over the left edge of the first one, which scrolls only up and down with it. */
import { DataGrid } from '@lumino/datagrid';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { LookedAtGrid } from './gridcanvas';
import { IGridEvents, MouseHandler } from './gridinput';

/** So much of the other columns stays in view, or nothing is pinned. */
const ROOM = 120;

export class Frozen {
  /** @param _pinned - The number of columns, from the left, that stay. */
  constructor(
    private readonly _main: DataGrid,
    events: IGridEvents,
    private readonly _pinned: () => number
  ) {
    this.grid = new FrozenGrid(_main, () => this.sync());
    this.grid.dataModel = _main.dataModel;
    this.grid.selectionModel = _main.selectionModel;
    this.grid.mouseHandler = new FrozenMouseHandler(_main, events);
    this._place.className = 'jp-ArrowSHM-frozen';
    // It shows what the other grid has, too: nothing is lost for those who do not see it.
    this._place.setAttribute('aria-hidden', 'true');
    this._place.hidden = true;
    _main.selectionModel?.changed.connect(() => queueMicrotask(() => this._uncover()));
  }

  readonly grid: DataGrid;

  mount(place: HTMLElement): void {
    place.append(this._place);
    this.sync();
  }

  unmount(): void {
    if (this.grid.isAttached) Widget.detach(this.grid);
    this._place.remove();
  }

  /** Follow the other grid: its rows, and the widths of the columns, in whichever grid the user has changed them. */
  sync(): void {
    const { grid, _main: main } = this;
    const pinned = this._pinned();
    if (this._isSyncing || !this._place.isConnected || !main.isAttached) return;
    this._isSyncing = true;
    const width = this._width(pinned);
    const isShown = pinned > 0 && width + ROOM < main.viewport.node.offsetWidth;
    this._place.hidden = !isShown;
    // Where nothing is pinned, the page has one grid.
    if (!isShown && grid.isAttached) Widget.detach(grid);
    if (isShown) {
      if (!grid.isAttached) Widget.attach(grid, this._place);
      this._resize(pinned);
      this._fit(this._width(pinned));
      if (grid.scrollY !== main.scrollY || grid.scrollX) grid.scrollTo(0, main.scrollY);
    }
    this._isSyncing = false;
  }

  dispose(): void {
    this.unmount();
    this.grid.dispose();
  }

  private _width(pinned: number): number {
    return this._main.headerWidth + this._widthOf(pinned);
  }

  private _widthOf(pinned: number): number {
    let width = 0;
    for (let i = 0; i < pinned; i++) width += this._main.columnSize('body', i);
    return width;
  }

  private _resize(pinned: number): void {
    const { grid, _main: main } = this;
    const header = main.columnSize('row-header', 0);
    if (grid.columnSize('row-header', 0) !== header) grid.resizeColumn('row-header', 0, header);
    for (let i = 0; i < pinned; i++) {
      const [here, there] = [grid.columnSize('body', i), main.columnSize('body', i)];
      if (here === there) continue;
      // The one that is not as it was is the one that was dragged.
      if (here !== this._widths[i] && this._widths[i] === there) main.resizeColumn('body', i, here);
      else grid.resizeColumn('body', i, there);
      this._widths[i] = main.columnSize('body', i);
    }
  }

  /** The grid is larger than its place by its own scroll bars, which nobody sees. */
  private _fit(width: number): void {
    const { node, viewport } = this.grid;
    const height = this._main.viewport.node.offsetHeight;
    Object.assign(this._place.style, { width: `${width}px`, height: `${height}px` });
    const inside = {
      width: `${width + node.offsetWidth - viewport.node.offsetWidth}px`,
      height: `${height + node.offsetHeight - viewport.node.offsetHeight}px`
    };
    if (node.style.width === inside.width && node.style.height === inside.height) return;
    Object.assign(node.style, inside);
    MessageLoop.sendMessage(this.grid, Widget.ResizeMessage.UnknownSize);
  }

  /** The cursor must not be below the pinned columns. */
  private _uncover(): void {
    const { _main: main } = this;
    const pinned = this._pinned();
    const column = main.selectionModel?.cursorColumn ?? -1;
    if (this._place.hidden || !pinned || column < pinned) return;
    const covered = this._widthOf(pinned) - (main.columnOffset('body', column) - main.scrollX);
    if (covered > 0) main.scrollTo(main.scrollX - covered, main.scrollY);
  }

  private readonly _place = document.createElement('div');
  private readonly _widths: number[] = [];
  private _isSyncing = false;
}

class FrozenGrid extends LookedAtGrid {
  constructor(
    private readonly _main: DataGrid,
    onLook: () => void
  ) {
    super(onLook, _main.defaultSizes.columnHeaderHeight);
  }

  /** The keyboard is in one of them: the other one. */
  protected override onActivateRequest(): void {
    this._main.activate();
  }
}

class FrozenMouseHandler extends MouseHandler {
  constructor(
    private readonly _main: DataGrid,
    events: IGridEvents
  ) {
    super(events);
  }

  override onWheel(_grid: DataGrid, event: WheelEvent): void {
    super.onWheel(this._main, event);
  }
}
