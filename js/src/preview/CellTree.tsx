import React, { useState } from 'react';
import type { Format } from '../shared/format';
import { oneLine } from './celltext';
import type { INode } from './source';

interface ICellTreeProps {
  readonly node: INode;
  readonly format: Format;
}

/** A nested cell: what is inside opens and closes. The first level is open. */
export function CellTree({ node, format }: ICellTreeProps): React.JSX.Element {
  if (!node.children) return <Value node={node} />;
  return (
    <div className="jp-ArrowSHM-tree" tabIndex={0} role="group" aria-label={format.trans.__('Value')}>
      <p className="jp-ArrowSHM-muted">{kindWords(node, format)}</p>
      <Children node={node} format={format} />
    </div>
  );
}

function Children({ node, format }: ICellTreeProps): React.JSX.Element {
  const children = node.children ?? [];
  const missing = (node.length ?? 0) - children.length;
  return (
    <ul>
      {children.map((child, at) => (
        <li key={at}>{child.children ? <Branch node={child} format={format} /> : <Leaf node={child} />}</li>
      ))}
      {missing > 0 && <li className="jp-ArrowSHM-muted">{format.trans.__('… and %1 more', format.count(missing))}</li>}
    </ul>
  );
}

function Branch({ node, format }: ICellTreeProps): React.JSX.Element {
  const [isOpen, setOpen] = useState(false);
  return (
    <details open={isOpen} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <b>{oneLine(node.name ?? '')}</b> <span className="jp-ArrowSHM-muted">{kindWords(node, format)}</span>
      </summary>
      {isOpen && <Children node={node} format={format} />}
    </details>
  );
}

function Leaf({ node }: Pick<ICellTreeProps, 'node'>): React.JSX.Element {
  return (
    <>
      <b>{oneLine(node.name ?? '')}</b> <Value node={node} />
    </>
  );
}

function Value({ node: { text } }: Pick<ICellTreeProps, 'node'>): React.JSX.Element {
  return text === null || text === undefined ? <i className="jp-ArrowSHM-muted">null</i> : <span>{text}</span>;
}

function kindWords({ kind, length = 0 }: INode, format: Format): string {
  const { trans } = format;
  const count = format.count(length);
  if (kind === 'struct') return trans._n('%2 field', '%2 fields', length, count);
  if (kind === 'map') return trans._n('map of %2 key', 'map of %2 keys', length, count);
  return trans._n('list of %2 value', 'list of %2 values', length, count);
}
