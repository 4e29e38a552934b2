import React, { useEffect, useRef } from 'react';
import { onThemeChange, themeOf } from './theme';

export type PlotKind = 'bar' | 'line' | 'dots';

interface IPlotProps {
  readonly kind: PlotKind;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** The chart in words, for those who do not see it. */
  readonly label: string;
}

const HEIGHT = 180;
const MARGIN = 6;
const DOT = 1.5;

/** A small chart: bars side by side, a line or dots. */
export function Plot({ kind, x, y, label }: IPlotProps): React.JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const node = canvas.current;
    const place = node?.parentElement;
    if (!node || !place) return undefined;
    const redraw = (): void => draw(node, place, kind, x, y);
    redraw();
    return onThemeChange(redraw);
  }, [kind, x, y]);
  return (
    <div className="jp-ArrowSHM-plot">
      <canvas ref={canvas} role="img" aria-label={label} />
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, place: HTMLElement, kind: PlotKind, x: readonly number[], y: readonly number[]): void {
  const gc = canvas.getContext('2d');
  const width = place.clientWidth;
  if (!gc || !width) return;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = HEIGHT * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${HEIGHT}px`;
  const theme = themeOf(place);
  gc.scale(ratio, ratio);
  const isBars = kind === 'bar';
  // Bars begin at nothing: their lengths are compared.
  const [low, high] = range(isBars ? [0, ...y] : y);
  const toY = (value: number): number => HEIGHT - MARGIN - ((value - low) / (high - low)) * (HEIGHT - 2 * MARGIN);
  gc.fillStyle = gc.strokeStyle = theme.accent;
  if (isBars) {
    const step = (width - 2 * MARGIN) / Math.max(1, y.length);
    y.forEach((value, at) => {
      const [top, bottom] = [toY(Math.max(0, value)), toY(Math.min(0, value))];
      gc.fillRect(MARGIN + at * step, top, Math.max(1, step - (step > 3 ? 1 : 0)), Math.max(1, bottom - top));
    });
  } else {
    const [left, right] = range(x);
    const toX = (value: number): number => MARGIN + ((value - left) / (right - left)) * (width - 2 * MARGIN);
    if (kind === 'line') {
      gc.beginPath();
      for (const at of [...x.keys()].sort((a, b) => x[a] - x[b])) gc.lineTo(toX(x[at]), toY(y[at]));
      gc.stroke();
    } else {
      gc.globalAlpha = 0.6;
      x.forEach((value, at) => gc.fillRect(toX(value) - DOT, toY(y[at]) - DOT, 2 * DOT, 2 * DOT));
      gc.globalAlpha = 1;
    }
  }
  gc.strokeStyle = theme.line;
  gc.beginPath();
  const axis = isBars ? toY(0) : HEIGHT - 0.5;
  gc.moveTo(0, axis);
  gc.lineTo(width, axis);
  gc.stroke();
}

/** The least and the largest value; never the same, since they are divided by their difference. */
function range(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}
