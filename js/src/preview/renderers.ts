import { CellRenderer, GraphicsContext } from '@lumino/datagrid';
import type { Format } from '../shared/format';
import type { IColumn } from '../shared/table';
import type { IBrush } from './brush';
import { oneLine } from './celltext';
import { chartOf } from './chart';
import { CHART_BOTTOM, drawChart, PADDING } from './chartpainter';
import { headlines } from './headline';
import type { PreviewModel } from './previewmodel';
import type { Cell } from './page';
import type { Summary } from './summaries';
import type { ITheme } from './theme';
import { typeWords } from './typewords';

export const ROW_HEIGHT = 24;
/** The name, the type, the chart, and the text below the chart. */
export const HEADER_HEIGHT = 88;
/** Where there are no charts. */
export const SHORT_HEADER_HEIGHT = 40;
/** The part of the header where a click opens the column's menu: its upper right corner. */
export const MENU_SIZE = 24;

interface ILook {
  readonly preview: PreviewModel;
  readonly format: Format;
  readonly theme: ITheme;
  /** The parts of a chart that the mouse is being dragged over. */
  readonly brush: IBrush | null;
  readonly mark: IMark;
}

/** A text whose cells are marked. */
export interface IMark {
  readonly text: string;
  readonly ignoreCase: boolean;
}

/** A value: numbers are at the right, missing values are dimmed, and a dot stands for what has not come yet. */
export class CellPainter extends CellRenderer {
  constructor(private readonly _look: ILook) {
    super();
  }

  paint(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const { preview, format, theme, mark } = this._look;
    const cell = config.value as Cell | undefined;
    const style = preview.style(preview.shown[config.column], format);
    gc.textBaseline = 'middle';
    if (cell === undefined || cell === null) {
      gc.font = theme.italicFont;
      gc.fillStyle = theme.muted;
      gc.globalAlpha = 0.75;
      draw(gc, config, cell === null ? 'null' : '·', style.isRight);
      return;
    }
    const isText = preview.field(preview.shown[config.column])?.kind === 'text';
    if (isText && hasText(cell, mark)) {
      gc.fillStyle = theme.mark;
      gc.fillRect(config.x, config.y, config.width - 1, config.height - 1);
    }
    gc.font = theme.font;
    gc.fillStyle = theme.text;
    const text = style.text(cell);
    // The points of a column's numbers line up: a shorter fraction ends further to the left.
    const missing = style.isRight ? fractionWidth(gc, style.fraction) - gc.measureText(style.fractionOf(text)).width : 0;
    draw(gc, config, text, style.isRight, Math.max(0, missing));
  }
}

/** The number of a row, from 1. */
export class RowNumberPainter extends CellRenderer {
  constructor(private readonly _look: ILook) {
    super();
  }

  paint(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const { format, theme } = this._look;
    gc.textBaseline = 'middle';
    gc.font = theme.smallFont;
    gc.fillStyle = theme.muted;
    if (config.value !== null) draw(gc, config, format.count(config.value as number), true);
  }
}

/** A column: its name and type, whether it is sorted and filtered, and what is in it. */
export class HeaderPainter extends CellRenderer {
  constructor(private readonly _look: ILook) {
    super();
  }

  paint(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    const { preview, format, theme } = this._look;
    const column = config.value as IColumn | undefined;
    if (!column) return;
    const { x, y, width } = config;
    const number = preview.shown[config.column];
    const { sort, filters } = preview.view;
    gc.textBaseline = 'middle';
    gc.textAlign = 'left';
    let right = x + width - MENU_SIZE;
    this._drawMenu(gc, x + width - MENU_SIZE / 2 - 1, y + 15);
    if (filters.some(filter => filter.column === number)) {
      right -= 16;
      this._drawFunnel(gc, right + 2, y + 10);
    }
    const place = sort.findIndex(one => one.column === number);
    if (place >= 0) {
      gc.font = theme.smallFont;
      gc.fillStyle = theme.accent;
      const text = `${sort[place].descending ? '▼' : '▲'}${sort.length > 1 ? place + 1 : ''}`;
      right -= gc.measureText(text).width + 4;
      gc.fillText(text, right + 2, y + 15);
    }
    gc.font = theme.boldFont;
    gc.fillStyle = theme.text;
    gc.fillText(elided(gc, oneLine(column.name), right - x - PADDING), x + PADDING, y + 15);
    gc.font = theme.smallFont;
    gc.fillStyle = theme.muted;
    gc.fillText(elided(gc, typeWords(column.type, format.trans), width - 2 * PADDING), x + PADDING, y + 30);
    const summary = preview.summary(number);
    if (summary) this._drawSummary(gc, config, summary);
  }

  private _drawMenu(gc: GraphicsContext, x: number, y: number): void {
    gc.fillStyle = this._look.theme.muted;
    for (const dy of [-5, 0, 5]) {
      gc.beginPath();
      gc.arc(x, y + dy, 1.4, 0, 2 * Math.PI);
      gc.fill();
    }
  }

  private _drawFunnel(gc: GraphicsContext, x: number, y: number): void {
    gc.fillStyle = this._look.theme.accent;
    gc.beginPath();
    gc.moveTo(x, y);
    gc.lineTo(x + 11, y);
    gc.lineTo(x + 7, y + 5);
    gc.lineTo(x + 7, y + 11);
    gc.lineTo(x + 4, y + 9);
    gc.lineTo(x + 4, y + 5);
    gc.closePath();
    gc.fill();
  }

  private _drawSummary(gc: GraphicsContext, { x, y, width }: CellRenderer.CellConfig, summary: Summary): void {
    const { format, theme } = this._look;
    const left = x + PADDING;
    const room = width - 2 * PADDING;
    const chart = chartOf(summary);
    const { brush } = this._look;
    if (chart) drawChart(gc, theme, { x: left, y, width: room }, chart, brush?.column === summary.column ? brush : null);
    // The share of missing values, below the chart.
    const missing = summary.rows ? summary.nulls / summary.rows : 0;
    gc.fillStyle = theme.line;
    gc.fillRect(left, y + CHART_BOTTOM + 1, room, 2);
    gc.fillStyle = theme.muted;
    gc.fillRect(left, y + CHART_BOTTOM + 1, Math.round(room * missing), 2);
    gc.font = theme.smallFont;
    gc.fillStyle = theme.muted;
    const facts = headlines(summary, format).map(text => `${summary.exact ? '' : '≈ '}${text}`);
    const fitting = facts.find(text => gc.measureText(text).width <= room);
    const shown = fitting ?? elided(gc, facts.at(-1) ?? '', room);
    gc.fillText(shown, left, y + CHART_BOTTOM + 12);
    const share = summary.nulls ? format.trans.__('%1 null', format.share(missing)) : '';
    // The line above shows it, too, where there is no room for words.
    if (share && gc.measureText(shown).width + gc.measureText(share).width + 8 <= room) {
      gc.textAlign = 'right';
      gc.fillText(share, left + room, y + CHART_BOTTOM + 12);
    }
  }
}

/** Whether a cell of a text column, or as much of it as came, has the text. */
function hasText(cell: Cell, { text, ignoreCase }: IMark): boolean {
  if (!text || typeof cell !== 'string') return false;
  return ignoreCase ? cell.toLowerCase().includes(text.toLowerCase()) : cell.includes(text);
}

/** The width that shows the text of a header's first lines. */
export function headerWidth(gc: CanvasRenderingContext2D, { theme, format }: Omit<ILook, 'preview' | 'brush' | 'mark'>, column: IColumn): number {
  gc.font = theme.boldFont;
  const name = gc.measureText(oneLine(column.name)).width + MENU_SIZE + 20;
  gc.font = theme.smallFont;
  return Math.max(name, gc.measureText(typeWords(column.type, format.trans)).width + PADDING) + PADDING;
}

function draw(gc: GraphicsContext, { x, y, width, height }: CellRenderer.CellConfig, text: string, isRight: boolean, inset = 0): void {
  gc.textAlign = isRight ? 'right' : 'left';
  const shown = elided(gc, text, width - 2 * PADDING + 4);
  gc.fillText(shown, isRight ? x + width - PADDING - inset : x + PADDING, y + height / 2);
}

/** @param length - The number of characters, including the point. */
function fractionWidth(gc: GraphicsContext, length: number): number {
  return length ? gc.measureText(`.${'0'.repeat(length - 1)}`).width : 0;
}

/** As much of the beginning of the text as fits, with "…". */
function elided(gc: GraphicsContext, text: string, room: number): string {
  // A long text is not measured in full: nobody sees more than a few hundred characters.
  const all = text.length > 400 ? text.slice(0, 400) : text;
  if (all.length === text.length && gc.measureText(all).width <= room) return all;
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (gc.measureText(`${all.slice(0, middle)}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  // Do not cut a character of two code units in half.
  const end = /[\uD800-\uDBFF]$/.test(all.slice(0, low)) ? low - 1 : low;
  return end > 0 ? `${all.slice(0, end)}…` : '';
}
