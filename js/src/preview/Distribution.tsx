import React, { useState } from 'react';
import type { Format } from '../shared/format';
import { applyBrush, chartWords } from './brush';
import type { IChart } from './chart';
import type { PreviewModel } from './previewmodel';

interface IDistributionProps {
  readonly preview: PreviewModel;
  readonly column: number;
  readonly chart: IChart;
  readonly format: Format;
}

/** A column's histogram for the keyboard: arrow keys move, with Shift they choose a range, and Enter filters to it. */
export function Distribution({ preview, column, chart, format }: IDistributionProps): React.JSX.Element {
  const { trans } = format;
  const [[anchor, here], setRange] = useState<readonly [number, number]>([0, 0]);
  const most = Math.max(Number.MIN_VALUE, ...chart.parts.map(part => part.whole));
  const last = chart.parts.length - 1;
  const [from, to] = [Math.min(anchor, here, last), Math.min(Math.max(anchor, here), last)];
  const height = (share: number): string => (share ? `max(1px, ${Math.min(100, (100 * share) / most)}%)` : '0');
  const press = (event: React.KeyboardEvent<HTMLElement>): void => {
    const next = { ArrowLeft: Math.max(0, here - 1), ArrowRight: Math.min(last, here + 1), Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    setRange([event.shiftKey ? anchor : next, next]);
    (event.currentTarget.children[next] as HTMLElement).focus();
  };
  return (
    <div className="jp-ArrowSHM-bars" role="group" aria-label={trans.__('Histogram')} onKeyDown={press}>
      {chart.parts.map((part, i) => (
        <button
          type="button"
          key={i}
          tabIndex={i === Math.min(here, last) ? 0 : -1}
          aria-pressed={i >= from && i <= to}
          aria-label={chartWords(preview, column, i, format)}
          title={chartWords(preview, column, i, format)}
          onClick={event => {
            const range = event.shiftKey && event.detail ? [anchor, i] : i >= from && i <= to ? [from, to] : [i, i];
            setRange([range[0], range[1]]);
            applyBrush(preview, { column, from: Math.min(range[0], range[1]), to: Math.max(range[0], range[1]) }, false);
          }}
        >
          <span style={{ height: height(part.whole) }} />
          <span style={{ height: height(part.found) }} />
        </button>
      ))}
    </div>
  );
}
