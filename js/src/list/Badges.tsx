import React from 'react';
import type { Format } from '../shared/format';
import { Icon, IconName } from '../shared/icons';
import { ITable } from '../shared/table';
import { IListHost } from './listhost';

interface IBadge {
  readonly icon: IconName;
  readonly text: string;
  /** The whole sentence. */
  readonly title: string;
  readonly isWarning?: boolean;
}

/** The unusual things about a table; most tables have no badge. */
function badgesOf(table: ITable, format: Format): IBadge[] {
  const { trans } = format;
  const { pinned, older, publisher, origin, removed_at: removed } = table;
  const badges: IBadge[] = [];
  if (pinned) badges.push({ icon: 'pin', text: trans.__('pinned'), title: trans.__('This table is never removed automatically.') });
  // A table that was loaded from files can be had again without whoever loaded it.
  if (publisher.alive === false && !origin) {
    badges.push({
      icon: 'ended',
      text: publisher.kernel_id ? trans.__('notebook closed') : trans.__('program ended'),
      title: trans.__('%1 shared this table and has ended. The table stays.', publisher.label)
    });
  }
  // Nobody knows who uses a table of a folder or bucket.
  if (!table.holders.length && table.countable !== null) {
    badges.push({
      icon: 'unused',
      text: removed ? trans.__('unused, removed %1', format.relative(removed)) : trans.__('unused'),
      title: removed
        ? trans.__('Nobody uses it. It will be removed on %1.', format.moment(removed))
        : trans.__('Nobody uses it.'),
      isWarning: true
    });
  }
  if (older.length) {
    const bytes = older.reduce((sum, version) => sum + version.nbytes, 0);
    badges.push({
      icon: 'older',
      text: trans._n('%2 older version, %3', '%2 older versions, %3', older.length, format.count(older.length), format.size(bytes)),
      title: trans.__('It was replaced, but somebody still has it attached.')
    });
  }
  return badges;
}

/** The badges in words, below a row; an unused table can be kept from here. */
export function Badges({ table, host }: { table: ITable; host: IListHost }): React.JSX.Element | null {
  const { trans } = host.format;
  const badges = badgesOf(table, host.format);
  if (!badges.length) return null;
  return (
    <div className="jp-ArrowSHM-badges">
      {badges.map(({ icon, text, title, isWarning }) => (
        <span key={icon} className={isWarning ? 'jp-mod-warn' : undefined} title={title}>
          {icon === 'pin' && <Icon name="pin" filled />}
          {text}
        </span>
      ))}
      {!table.holders.length && table.removed_at && host.setPinned && (
        <button
          type="button"
          className="jp-ArrowSHM-link"
          aria-label={trans.__('Keep %1', table.name)}
          title={trans.__('Pin %1: never remove it automatically', table.name)}
          onClick={() => host.setPinned?.(table, true)}
        >
          {trans.__('Keep')}
        </button>
      )}
    </div>
  );
}

/** The badges as icons within a row; the words are in their tooltips, and for screen readers. */
export function BadgeIcons({ table, format }: { table: ITable; format: Format }): React.JSX.Element {
  return (
    <span className="jp-ArrowSHM-badgeIcons">
      {badgesOf(table, format).map(({ icon, text, title, isWarning }) => (
        <span key={icon} className={isWarning ? 'jp-mod-warn' : undefined} title={`${text}. ${title}`}>
          <Icon name={icon} filled={icon === 'pin'} />
          <span className="jp-ArrowSHM-unseen">{text}</span>
        </span>
      ))}
    </span>
  );
}
