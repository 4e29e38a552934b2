/** The chart in a column's header: all rows in grey, and those of the view over them. */
import type { GraphicsContext } from '@lumino/datagrid';
import { IChart, partAt } from './chart';
import type { ITheme } from './theme';

export const PADDING = 8;
const CHART_TOP = 40;
export const CHART_BOTTOM = 68;

interface IPlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** The part of the chart at a place of the header; `null`: none; `undefined`: the place is not in the chart. */
export function partOfHeader(chart: IChart, x: number, y: number, width: number): number | null | undefined {
  if (y < CHART_TOP - 3 || y > CHART_BOTTOM + 3) return undefined;
  return partAt(chart, (x - PADDING) / (width - 2 * PADDING));
}

export function drawChart(
  gc: GraphicsContext,
  theme: ITheme,
  place: IPlace,
  chart: IChart,
  brush: { readonly from: number; readonly to: number } | null
): void {
  // The other parts look as they will when the filter is there.
  const parts = chart.parts.map((part, i) => (!brush || (i >= brush.from && i <= brush.to) ? part : { ...part, found: 0 }));
  const draw = chart.histogram ? drawBars : drawShares;
  draw(gc, theme, place, { ...chart, parts });
}

function drawBars(gc: GraphicsContext, theme: ITheme, { x, y, width }: IPlace, { parts }: IChart): void {
  const most = Math.max(Number.MIN_VALUE, ...parts.map(part => part.whole));
  const height = CHART_BOTTOM - CHART_TOP;
  const bar = (part: number, share: number): void => {
    if (!share) return;
    const from = Math.round((part * width) / parts.length);
    const to = Math.round(((part + 1) * width) / parts.length);
    // Anything that is there must be visible, however small; a sample may find more in the view than in all rows.
    const tall = Math.min(height, Math.max(1, Math.round((height * share) / most)));
    gc.fillRect(x + from, y + CHART_BOTTOM - tall, Math.max(1, to - from - 1), tall);
  };
  gc.fillStyle = theme.muted;
  gc.globalAlpha = 0.3;
  parts.forEach(({ whole, found }, part) => {
    if (found < whole) bar(part, whole);
  });
  gc.fillStyle = theme.accent;
  gc.globalAlpha = 0.7;
  parts.forEach(({ found }, part) => bar(part, found));
  gc.globalAlpha = 1;
}

/** The most frequent values, side by side, and the rest. */
function drawShares(gc: GraphicsContext, theme: ITheme, { x, y, width }: IPlace, { parts, present }: IChart): void {
  const top = y + CHART_TOP + 8;
  const height = CHART_BOTTOM - CHART_TOP - 10;
  gc.fillStyle = theme.line;
  gc.fillRect(x, top, width, height);
  let end = 0;
  parts.forEach(({ whole, found }, part) => {
    const from = Math.round(end);
    end += (width * whole) / Math.max(Number.MIN_VALUE, present);
    const wide = Math.round(end) - from - 1;
    if (wide < 1) return;
    const tall = found ? Math.max(1, Math.round(height * Math.min(1, found / whole))) : 0;
    gc.fillStyle = theme.muted;
    gc.globalAlpha = 0.3;
    gc.fillRect(x + from, top, wide, height - tall);
    gc.fillStyle = theme.accent;
    gc.globalAlpha = Math.max(0.25, 0.8 - 0.1 * part);
    gc.fillRect(x + from, top + height - tall, wide, tall);
  });
  gc.globalAlpha = 1;
}
