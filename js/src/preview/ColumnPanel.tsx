import React, { useEffect, useId, useRef } from 'react';
import type { Format } from '../shared/format';
import { NUMBER_FORMATS, NumberFormat } from './columnstyle';
import { Distribution } from './Distribution';
import { conditionKinds, FilterEditor } from './FilterEditor';
import { withHidden, withMoved, withPinned } from './layout';
import { useOutside } from '../shared/Menu';
import type { PreviewModel } from './previewmodel';
import { withSort } from './query';
import { Statistics } from './Statistics';
import { typeWords } from './typewords';

interface IColumnPanelProps {
  readonly preview: PreviewModel;
  readonly format: Format;
  readonly column: number;
  /** In pixels from the upper left corner of the grid. */
  readonly place: { readonly left: number; readonly top: number };
  readonly close: () => void;
}

/** The actions for one column, and its contents. */
export function ColumnPanel({ preview, format, column, place, close }: IColumnPanelProps): React.JSX.Element | null {
  const { trans } = format;
  const node = useRef<HTMLDivElement>(null);
  const title = useId();
  useOutside(node, true, close);
  useEffect(() => node.current?.querySelector<HTMLElement>('button')?.focus(), [column]);
  const schema = preview.table?.schema[column];
  if (!schema) return null;
  const key = { column, name: schema.name, type: schema.type };
  const field = preview.field(column);
  const table = preview.table?.schema ?? [];
  const position = preview.place(column);
  const hide = (): void => {
    close();
    const hidden = new Set([...table.keys()].filter(one => one === column || preview.place(one) < 0));
    preview.layout = withHidden(preview.layout, table, hidden);
  };
  const pin = (): void => {
    close();
    preview.layout = withPinned(preview.layout, table, column, position >= preview.pinned);
  };
  const move = (step: number): void => {
    close();
    preview.layout = withMoved(preview.layout, table, column, preview.shown[position + step]);
  };
  const chart = preview.chart(column);
  const sorted = preview.view.sort.find(one => one.column === column);
  const sort = (descending: boolean): void => {
    preview.view = withSort(preview.view, key, sorted?.descending === descending ? null : descending, false);
  };
  return (
    <div
      ref={node}
      className="jp-ArrowSHM-popup jp-ArrowSHM-columnPanel"
      role="dialog"
      aria-labelledby={title}
      style={{ left: place.left, top: place.top }}
      onKeyDown={event => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        close();
      }}
    >
      <div className="jp-ArrowSHM-panelTitle">
        <h2 id={title}>{schema.name}</h2>
        <span className="jp-ArrowSHM-muted" title={schema.type}>
          {typeWords(schema.type, trans)}
        </span>
      </div>
      {field?.sortable !== false && !preview.isRowsOnly && (
        <div className="jp-ArrowSHM-buttons" role="group" aria-label={trans.__('Sort')}>
          <button type="button" className="jp-ArrowSHM-button" aria-pressed={sorted?.descending === false} onClick={() => sort(false)}>
            {trans.__('▲ Ascending')}
          </button>
          <button type="button" className="jp-ArrowSHM-button" aria-pressed={sorted?.descending === true} onClick={() => sort(true)}>
            {trans.__('▼ Descending')}
          </button>
        </div>
      )}
      <div className="jp-ArrowSHM-buttons" role="group" aria-label={trans.__('Column')}>
        <button type="button" className="jp-ArrowSHM-button" onClick={hide}>
          {trans.__('Hide')}
        </button>
        <button type="button" className="jp-ArrowSHM-button" aria-pressed={position < preview.pinned} onClick={pin}>
          {trans.__('Pin')}
        </button>
        {([-1, 1] as const).map(step => (
          <button type="button" className="jp-ArrowSHM-button" key={step} disabled={preview.shown[position + step] === undefined} onClick={() => move(step)}>
            {step < 0 ? trans.__('◀ Move') : trans.__('Move ▶')}
          </button>
        ))}
      </div>
      {!preview.isRowsOnly && (
        <FilterEditor
          key={`${column} ${JSON.stringify(preview.view.filters.find(one => one.column === column)?.condition)}`}
          preview={preview}
          format={format}
          columnKey={key}
          kinds={conditionKinds(field?.filterable === false ? 'nested' : (field?.kind ?? 'other'))}
          close={close}
        />
      )}
      {field?.number && <Numbers preview={preview} column={column} format={format} />}
      {chart?.histogram && field?.filterable && <Distribution preview={preview} column={column} chart={chart} format={format} />}
      {!preview.isRowsOnly && (
        <Statistics summary={preview.summary(column)} type={schema.type} isTime={field?.kind === 'time'} format={format} />
      )}
    </div>
  );
}

/** The format of the column's numbers. */
function Numbers({ preview, column, format }: Pick<IColumnPanelProps, 'preview' | 'column' | 'format'>): React.JSX.Element {
  const { trans } = format;
  const name = (one: NumberFormat): string => {
    if (one === 'auto') return trans.__('4 to 6 digits');
    if (one === 'raw') return trans.__('All digits');
    if (one === 'percent') return trans.__('Percent');
    return trans._n('%2 decimal', '%2 decimals', one, format.count(one));
  };
  return (
    <div className="jp-ArrowSHM-formRow">
      <label>
        {trans.__('Numbers')}{' '}
        <select
          className="jp-ArrowSHM-select"
          value={String(preview.numbers(column))}
          onChange={event => {
            const chosen = NUMBER_FORMATS.find(one => String(one) === event.target.value);
            if (chosen !== undefined) preview.setNumbers(column, chosen);
          }}
        >
          {NUMBER_FORMATS.map(one => (
            <option key={one} value={String(one)}>
              {name(one)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
