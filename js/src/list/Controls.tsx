import React from 'react';
import { Icon } from '../shared/icons';
import { DENSITIES, Density, Grouping, GROUPINGS, Order, ORDERS } from '../shared/listing';
import { Menu } from '../shared/Menu';
import { IListProps } from './listhost';

/** How the list is filtered, ordered and shown. */
export function Controls({ host, options, onOptions }: IListProps): React.JSX.Element {
  const { trans } = host.format;
  const label = trans.__('Filter by table, column, type or notebook');
  const names: Record<Order, string> = {
    name: trans.__('Name'),
    size: trans.__('Size'),
    age: trans.__('Newest'),
    users: trans.__('Users')
  };
  const groupings: Record<Grouping, string> = {
    none: trans.__('No groups'),
    use: trans.__('In use or unused'),
    publisher: trans.__('By notebook or program')
  };
  const densities: Record<Density, string> = {
    auto: trans.__('Automatic'),
    compact: trans.__('One line'),
    roomy: trans.__('All details')
  };
  return (
    <div className="jp-ArrowSHM-controls">
      <div className="jp-ArrowSHM-filter">
        <Icon name="search" />
        <input
          type="search"
          value={options.filter}
          placeholder={trans.__('Filter')}
          aria-label={label}
          title={label}
          spellCheck={false}
          onChange={event => onOptions({ ...options, filter: event.target.value })}
          onKeyDown={event => {
            if (event.key === 'Escape') onOptions({ ...options, filter: '' });
          }}
        />
      </div>
      <select
        className="jp-ArrowSHM-select"
        value={options.order}
        aria-label={trans.__('Sort by')}
        title={trans.__('Sort by')}
        onChange={event => onOptions({ ...options, order: event.target.value as Order })}
      >
        {ORDERS.map(order => (
          <option key={order} value={order}>
            {names[order]}
          </option>
        ))}
      </select>
      <Menu
        icon="view"
        label={trans.__('View')}
        sections={[
          {
            title: trans.__('Groups'),
            items: GROUPINGS.map(grouping => ({
              label: groupings[grouping],
              checked: options.grouping === grouping,
              run: () => onOptions({ ...options, grouping })
            }))
          },
          {
            title: trans.__('Rows'),
            items: DENSITIES.map(density => ({
              label: densities[density],
              checked: options.density === density,
              run: () => onOptions({ ...options, density })
            }))
          }
        ]}
      />
    </div>
  );
}
