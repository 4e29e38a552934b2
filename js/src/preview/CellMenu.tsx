import React, { useRef } from 'react';
import { IMenuSection, MenuList, useOutside } from '../shared/Menu';

interface ICellMenuProps {
  readonly label: string;
  readonly sections: readonly IMenuSection[];
  /** In pixels from the upper left corner of the grid. */
  readonly place: { readonly left: number; readonly top: number };
  readonly close: () => void;
}

/** A menu at a cell. */
export function CellMenu({ label, sections, place, close }: ICellMenuProps): React.JSX.Element {
  const node = useRef<HTMLDivElement>(null);
  useOutside(node, true, close);
  return (
    <div ref={node} className="jp-ArrowSHM-menu jp-ArrowSHM-cellMenu" style={place}>
      <MenuList label={label} sections={sections} close={close} leave={close} />
    </div>
  );
}
