import React, { useEffect, useReducer, useRef, useState } from 'react';
import { Banner } from './Banner';
import { applyBrush, chartWords } from './brush';
import { CellMenu } from './CellMenu';
import { cellActions } from './cellactions';
import { CellPanel } from './CellPanel';
import { cellText, oneLine } from './celltext';
import { partOfHeader } from './chartpainter';
import { ColumnPanel } from './ColumnPanel';
import { copySelection } from './copyselection';
import { Find } from './find';
import { FindBar } from './FindBar';
import { Grid } from './grid';
import { withMoved } from './layout';
import type { IPreviewProps } from './previewhost';
import { nextDirection, withSort } from './query';
import { QuickLook } from './QuickLook';
import { onThemeChange } from './theme';
import { Toolbar } from './Toolbar';
import { columnsWords } from './viewwords';

type Open =
  | { kind: 'column'; column: number; left: number; top: number }
  | { kind: 'menu'; row: number; column: number; left: number; top: number }
  | { kind: 'cell'; row: number; column: number }
  | { kind: 'quick' } | null;

/** A table's rows, with all their actions. */
export function Preview({ preview, host }: IPreviewProps): React.JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const grid = useRef<Grid | null>(null);
  const [open, setOpen] = useState<Open>(null);
  const [cursor, setCursor] = useState<{ row: number; column: number } | null>(null);
  const [find, setFind] = useState<Find | null>(null);
  const [isFinding, setFinding] = useState(false);
  const [, redraw] = useReducer((count: number) => count + 1, 0);

  useEffect(() => {
    const node = place.current;
    if (!node) return undefined;
    const made = new Grid(preview, host.format, {
      onHeader: (column, add) => {
        const schema = preview.table?.schema[column];
        if (!schema || preview.isRowsOnly || preview.field(column)?.sortable === false) return;
        preview.view = withSort(preview.view, { column, ...schema }, nextDirection(preview.view, column), add);
      },
      onColumnMenu: column => {
        const { left, right, bottom } = made.headerPlace(column);
        const width = Math.min(PANEL_WIDTH, node.clientWidth - 8);
        setOpen({ kind: 'column', column, left: Math.max(4, Math.min(left, right - width, node.clientWidth - width - 4)), top: bottom });
      },
      chartPart: (column, x, y, width) => {
        const chart = preview.chart(column);
        return chart ? partOfHeader(chart, x, y, width) : undefined;
      },
      chartWords: (column, part) => chartWords(preview, column, part, host.format),
      onBrushing: brush => {
        made.brush = brush;
      },
      onBrushed: (brush, add) => applyBrush(preview, brush, add),
      onOpenCell: (row, column) => setOpen({ kind: 'cell', row, column }),
      onMoveColumn: (column, to) => {
        preview.layout = withMoved(preview.layout, preview.table?.schema ?? [], column, to);
      },
      onCellMenu: (row, column) => {
        if (!cellActions(preview, host, { row, column }, () => undefined).length) return;
        const { left, top } = made.cellPlace(row, column);
        const [right, bottom] = [node.clientWidth - MENU_WIDTH, node.clientHeight - MENU_HEIGHT];
        setOpen({ kind: 'menu', row, column, left: Math.max(4, Math.min(left, right)), top: Math.max(4, Math.min(top, bottom)) });
      },
      onCopy: () => void copySelection(preview, made, host),
      onCursor: setCursor,
      onSelect: () => host.onSelect?.(made)
    });
    grid.current = made;
    const finding = new Find(
      preview,
      ({ row, column }) => made.goCell(row, column),
      () => {
        made.mark(finding.text, finding.ignoreCase);
        redraw();
      }
    );
    setFind(finding);
    const followSearch = (): void => {
      if (preview.search === finding.text) return;
      setFinding(preview.search !== '');
      finding.start(preview.search, finding.ignoreCase, null);
    };
    followSearch();
    made.mount(node);
    host.onSelect?.(made);
    const stops = [
      onThemeChange(() => made.retheme()),
      preview.onChange(change => {
        if (change.kind === 'columns') setOpen(null);
        if (change.kind === 'state') followSearch();
        redraw();
      })
    ];
    return () => {
      for (const stop of stops) stop();
      finding.dispose();
      setFind(null);
      grid.current = null;
      made.dispose();
    };
  }, [preview, host]);

  const close = (): void => {
    setOpen(null);
    grid.current?.focus();
  };
  const stopFinding = (): void => {
    find?.start('', find.ignoreCase, null);
    setFinding(false);
    grid.current?.focus();
  };
  /** Ctrl+F opens the search, F3 goes on with it. */
  const press = (event: React.KeyboardEvent): void => {
    const accel = (event.ctrlKey || event.metaKey) && !event.altKey;
    const key = event.key.toLowerCase();
    if (accel && !event.shiftKey && key === 'f' && !preview.isRowsOnly) {
      setFinding(true);
      const input = event.currentTarget.querySelector<HTMLInputElement>('.jp-ArrowSHM-find input');
      input?.focus();
      input?.select();
    } else if (isFinding && (key === 'f3' || (accel && key === 'g'))) void find?.go(event.shiftKey ? -1 : 1, cursor);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="jp-ArrowSHM-preview" onKeyDown={press}>
      <Toolbar
        preview={preview}
        host={host}
        go={row => grid.current?.go(row, cursor?.column ?? 0)}
        goColumn={column => {
          grid.current?.goColumn(column);
          grid.current?.focus();
        }}
        focus={() => grid.current?.focus()}
        find={() => setFinding(true)}
        look={() => setOpen({ kind: 'quick' })}
      />
      {isFinding && find && <FindBar find={find} format={host.format} cursor={() => cursor} close={stopFinding} />}
      <Banner preview={preview} host={host} />
      <div className="jp-ArrowSHM-gridPlace">
        <div className="jp-ArrowSHM-grid" ref={place} />
        {open?.kind === 'column' && (
          <ColumnPanel preview={preview} format={host.format} column={open.column} place={open} close={close} />
        )}
        {open?.kind === 'menu' && (
          <CellMenu
            label={host.format.trans.__('Cell')}
            sections={cellActions(preview, host, open, () => setOpen({ kind: 'cell', row: open.row, column: open.column }))}
            place={{ left: open.left, top: open.top }}
            close={close}
          />
        )}
        {open?.kind === 'quick' && preview.table && <QuickLook preview={preview} format={host.format} close={close} />}
        {open?.kind === 'cell' && <CellPanel preview={preview} host={host} row={open.row} column={open.column} close={close} />}
        {preview.facts?.view_rows === 0 && !preview.problem && (
          <p className="jp-ArrowSHM-noRows">
            {preview.view.filters.length ? host.format.trans.__('No row matches the filter.') : host.format.trans.__('The table has no rows.')}
          </p>
        )}
      </div>
      <Status preview={preview} host={host} cursor={cursor} />
    </div>
  );
}

const PANEL_WIDTH = 280;
const MENU_WIDTH = 200;
const MENU_HEIGHT = 200;

/** The cell that the keyboard is on: in full for those who do not see it, as much as fits for those who do. */
function Status({ preview, host, cursor }: IPreviewProps & { cursor: { row: number; column: number } | null }): React.JSX.Element {
  const { format } = host;
  const { trans } = format;
  const column = cursor ? preview.table?.schema[cursor.column] : undefined;
  const cell = cursor ? preview.cell(cursor.row, cursor.column) : undefined;
  let text = '';
  if (cursor && column) {
    const value = cell === undefined ? '…' : cell === null ? 'null' : oneLine(cellText(cell, preview.field(cursor.column)?.number ?? null));
    text = trans.__('Row %1, %2: %3', format.count(cursor.row + 1), column.name, value);
  }
  return (
    <div className="jp-ArrowSHM-status">
      <span role="status">{text}</span>
      <span>{columnsWords(preview, format)}</span>
    </div>
  );
}
