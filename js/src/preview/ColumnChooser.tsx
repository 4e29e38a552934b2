import React, { useRef, useState } from 'react';
import type { Format } from '../shared/format';
import { oneLine } from './celltext';
import { matchScore } from './fuzzy';
import { LAYOUT, orderedColumns, withHidden, withMoved } from './layout';
import type { PreviewModel } from './previewmodel';

/** The list is no longer than this: typed text brings up the rest. */
const LISTED = 200;

interface IColumnChooserProps {
  readonly preview: PreviewModel;
  readonly format: Format;
  /** A column's type and share of nulls, in words. */
  readonly facts: (column: number) => string;
}

/** All columns, each with a tick if it is shown; they are dragged, or moved by buttons, into another order. */
export function ColumnChooser({ preview, format, facts }: IColumnChooserProps): React.JSX.Element {
  const { trans } = format;
  const list = useRef<HTMLUListElement>(null);
  const [typed, setTyped] = useState('');
  const [dragged, setDragged] = useState<number | null>(null);
  const schema = preview.table?.schema ?? [];
  const all = orderedColumns(preview.layout, schema);
  const found = all.filter(column => matchScore(schema[column].name, typed) !== null);
  const hidden = new Set(all.filter(column => preview.place(column) < 0));
  const hide = (columns: readonly number[], isHidden: boolean): void => {
    const changed = new Set(hidden);
    for (const column of columns) {
      if (isHidden) changed.add(column);
      else changed.delete(column);
    }
    preview.layout = withHidden(preview.layout, schema, changed);
  };
  const move = (column: number, to: number | undefined): void => {
    if (to !== undefined && to !== column) preview.layout = withMoved(preview.layout, schema, column, to);
  };
  return (
    <>
      <input
        aria-label={trans.__('Filter the columns')}
        placeholder={trans.__('Filter the columns')}
        spellCheck={false}
        value={typed}
        onChange={event => setTyped(event.target.value)}
      />
      <ul className="jp-ArrowSHM-chooser" ref={list} aria-label={trans.__('Columns')}>
        {found.slice(0, LISTED).map((column, at) => (
          <li
            key={column}
            draggable
            onDragStart={() => setDragged(column)}
            onDragOver={event => event.preventDefault()}
            onDrop={() => {
              if (dragged !== null) move(dragged, column);
              setDragged(null);
            }}
          >
            <label title={`${schema[column].name}: ${schema[column].type}`}>
              <input type="checkbox" checked={!hidden.has(column)} onChange={event => hide([column], !event.target.checked)} />
              <span>{oneLine(schema[column].name)}</span>
              <span className="jp-ArrowSHM-muted">{facts(column)}</span>
            </label>
            {([-1, 1] as const).map(step => (
              <button
                type="button"
                key={step}
                className="jp-ArrowSHM-tool"
                aria-label={step < 0 ? trans.__('Move %1 to the left', schema[column].name) : trans.__('Move %1 to the right', schema[column].name)}
                aria-disabled={found[at + step] === undefined}
                onClick={() => move(column, found[at + step])}
              >
                {step < 0 ? '▴' : '▾'}
              </button>
            ))}
          </li>
        ))}
      </ul>
      {found.length > LISTED && <p className="jp-ArrowSHM-muted">{trans.__('%1 more match.', format.count(found.length - LISTED))}</p>}
      <div className="jp-ArrowSHM-buttons">
        <button type="button" className="jp-ArrowSHM-button" onClick={() => hide(found, false)}>
          {trans.__('Show all')}
        </button>
        <button type="button" className="jp-ArrowSHM-button" onClick={() => hide(found, true)}>
          {trans.__('Hide all')}
        </button>
        <button
          type="button"
          className="jp-ArrowSHM-button"
          onClick={() => {
            preview.layout = LAYOUT;
          }}
        >
          {trans.__('Reset')}
        </button>
      </div>
    </>
  );
}
