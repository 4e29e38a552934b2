/** The grid's canvas: which part is in view, and how it gets to the screen. */
import { DataGrid } from '@lumino/datagrid';
import type { Message } from '@lumino/messaging';
import { HEADER_HEIGHT, ROW_HEIGHT } from './renderers';

/** Emitted whenever something may have come into view. */
export class LookedAtGrid extends DataGrid {
  constructor(
    private readonly _onLook: () => void,
    columnHeaderHeight = HEADER_HEIGHT
  ) {
    super({
      headerVisibility: 'all',
      defaultSizes: { rowHeight: ROW_HEIGHT, columnWidth: 120, rowHeaderWidth: 64, columnHeaderHeight },
      minimumSizes: { rowHeight: ROW_HEIGHT, columnWidth: 40, rowHeaderWidth: 32, columnHeaderHeight }
    });
    blitOnce(this);
  }

  override messageHook(handler: Parameters<DataGrid['messageHook']>[0], message: Message): boolean {
    const result = super.messageHook(handler, message);
    // Every scroll, resize and new row ends in one of these.
    if (['paint-request', 'scroll-request', 'resize'].includes(message.type)) this._onLook();
    return result;
  }
}

interface IBlitting {
  _drawCells?(region: unknown): void;
  _blitContent?(source: HTMLCanvasElement, x: number, y: number, w: number, h: number, dx: number, dy: number): void;
}

/**
 * Copy all cells of a region from the grid's buffer to the screen at once, not one by one.
 *
 * Where there is no GPU (a remote desktop, a browser test) Chromium copies the whole buffer for each of these copies:
 * some 5 ms a cell on a large screen, seconds for a full window. The patched method is private to the grid: where a
 * release uses other names, it stays as it is.
 */
function blitOnce(grid: DataGrid): void {
  const inner = grid as unknown as IBlitting;
  const draw = inner._drawCells?.bind(grid);
  const blit = inner._blitContent?.bind(grid);
  if (!draw || !blit) return;
  let area: { source: HTMLCanvasElement; x1: number; y1: number; x2: number; y2: number } | null = null;
  let isDrawing = false;
  inner._drawCells = region => {
    isDrawing = true;
    try {
      draw(region);
    } finally {
      isDrawing = false;
    }
    if (!area) return;
    const { source, x1, y1, x2, y2 } = area;
    area = null;
    blit(source, x1, y1, x2 - x1, y2 - y1, x1, y1);
  };
  inner._blitContent = (source, x, y, w, h, dx, dy) => {
    if (!isDrawing || x !== dx || y !== dy) return blit(source, x, y, w, h, dx, dy);
    // The cell is outside the part to paint.
    if (w <= 0 || h <= 0) return;
    area = {
      source,
      x1: Math.min(x, area?.x1 ?? x),
      y1: Math.min(y, area?.y1 ?? y),
      x2: Math.max(x + w, area?.x2 ?? 0),
      y2: Math.max(y + h, area?.y2 ?? 0)
    };
  };
}
