import React, { useCallback, useSyncExternalStore } from 'react';
import { Icon, IconName } from '../shared/icons';
import { Menu } from '../shared/Menu';
import { ITable } from '../shared/table';
import { IListHost, IPlacesHost } from './listhost';

/** The actions for a table. */
export function Tools({ table, host }: { table: ITable; host: IListHost }): React.JSX.Element {
  const { trans } = host.format;
  const { name } = table;
  return (
    <div className="jp-ArrowSHM-tools" role="group" aria-label={trans.__('Actions for %1', name)}>
      {host.preview && <Tool icon="table" label={trans.__('Open %1', name)} onClick={() => host.preview?.(table)} />}
      {host.insert !== undefined && (
        <Tool
          icon="insert"
          label={
            host.insert
              ? trans.__('Insert the code that attaches %1 into the notebook', name)
              : trans.__('Open a notebook to insert the code that attaches %1', name)
          }
          disabled={!host.insert}
          onClick={() => host.insert?.(table)}
        />
      )}
      {host.fetch && (
        <Tool icon="fetch" label={trans.__('Copy %1 to this machine', name)} onClick={() => host.fetch?.(table)} />
      )}
      {host.copyCode && !host.hasMenu && (
        <Tool icon="copy" label={trans.__('Copy the line that attaches %1', name)} onClick={() => host.copyCode?.(table)} />
      )}
      {host.setPinned && (
        <Tool
          icon="pin"
          pressed={table.pinned}
          label={
            table.pinned
              ? trans.__('Unpin %1: it may be removed when nobody uses it', name)
              : trans.__('Pin %1: never remove it automatically', name)
          }
          onClick={() => host.setPinned?.(table, !table.pinned)}
        />
      )}
      {host.unshare && !host.hasMenu && (
        <Tool icon="remove" label={trans.__('Unshare %1…', name)} onClick={() => host.unshare?.(table)} />
      )}
      {host.places?.put && !host.hasMenu && <CopyMenu table={table} host={host} places={host.places} />}
      {host.hasMenu && <Tool icon="more" label={trans.__('More actions for %1', name)} menu onClick={openMenu} />}
    </div>
  );
}

/** The places that a table can be copied to; they may be known only after the table is. */
function CopyMenu({ table, host, places }: { table: ITable; host: IListHost; places: IPlacesHost }): React.JSX.Element | null {
  const { trans } = host.format;
  const { model } = places;
  const subscribe = useCallback((callback: () => void) => model.subscribe(callback), [model]);
  const targets = useSyncExternalStore(subscribe, () => model.targets);
  if (!targets.length) return null;
  const items = targets.map(place => ({ label: place.name, run: () => places.put?.(place, table) }));
  return <Menu icon="put" label={trans.__('Copy %1 to another place', table.name)} sections={[{ title: trans.__('Copy to'), items }]} />;
}

/** Open the right button's menu below this button. */
function openMenu(event: React.MouseEvent<HTMLElement>): void {
  const { left, bottom } = event.currentTarget.getBoundingClientRect();
  event.currentTarget.dispatchEvent(
    new MouseEvent('contextmenu', { bubbles: true, cancelable: true, clientX: left, clientY: bottom })
  );
}

interface IToolProps {
  icon: IconName;
  label: string;
  onClick: (event: React.MouseEvent<HTMLElement>) => void;
  disabled?: boolean;
  pressed?: boolean;
  menu?: boolean;
}

function Tool({ icon, label, onClick, disabled, pressed, menu }: IToolProps): React.JSX.Element {
  return (
    <button
      type="button"
      className="jp-ArrowSHM-tool"
      data-action={icon}
      aria-label={label}
      title={label}
      // Not `disabled`: a keyboard user must be able to reach it and read the reason.
      aria-disabled={disabled}
      aria-pressed={pressed}
      aria-haspopup={menu ? 'menu' : undefined}
      onClick={event => {
        if (!disabled) onClick(event);
      }}
    >
      <Icon name={icon} filled={pressed} />
    </button>
  );
}
