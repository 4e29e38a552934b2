import React, { useEffect, useId, useRef, useState } from 'react';
import { CellTree } from './CellTree';
import { cellText } from './celltext';
import type { IPreviewHost } from './previewhost';
import { useOutside } from '../shared/Menu';
import type { PreviewModel } from './previewmodel';
import type { INode } from './source';

interface ICellPanelProps {
  readonly preview: PreviewModel;
  readonly host: IPreviewHost;
  readonly row: number;
  readonly column: number;
  readonly close: () => void;
}

/** One value, with all its lines. */
export function CellPanel({ preview, host, row, column, close }: ICellPanelProps): React.JSX.Element {
  const { format } = host;
  const { trans } = format;
  const node = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const title = useId();
  const [text, setText] = useState<string | null>(null);
  const [tree, setTree] = useState<INode | null>(null);
  useOutside(node, true, close);
  useEffect(() => {
    let isWanted = true;
    button.current?.focus();
    preview
      .fetchCell(row, column)
      .then(cell => isWanted && setText(cellText(cell, preview.field(column)?.number ?? null)))
      .catch((error: unknown) => isWanted && setText(String(error)));
    if (preview.field(column)?.kind === 'nested') {
      // Where it cannot be had, the text is there.
      preview
        .fetchTree(row, column)
        .then(node => isWanted && node.children && setTree(node))
        .catch(() => undefined);
    }
    return () => {
      isWanted = false;
    };
  }, [preview, row, column]);
  return (
    <div
      ref={node}
      className="jp-ArrowSHM-popup jp-ArrowSHM-cellPanel"
      role="dialog"
      aria-labelledby={title}
      onKeyDown={event => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        close();
      }}
    >
      <div className="jp-ArrowSHM-panelTitle">
        <h2 id={title}>{preview.table?.schema[column]?.name}</h2>
        <span className="jp-ArrowSHM-muted">{trans.__('row %1', format.count(row + 1))}</span>
      </div>
      {tree ? (
        <CellTree node={tree} format={format} />
      ) : (
        <pre tabIndex={0} aria-label={trans.__('Value')}>
          {text ?? '…'}
        </pre>
      )}
      <div className="jp-ArrowSHM-buttons">
        <button type="button" ref={button} className="jp-ArrowSHM-button" onClick={close}>
          {trans.__('Close')}
        </button>
        {host.copyText && text !== null && (
          <button type="button" className="jp-ArrowSHM-button" onClick={() => host.copyText?.(text)}>
            {trans.__('Copy')}
          </button>
        )}
      </div>
    </div>
  );
}
