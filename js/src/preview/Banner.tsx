import React from 'react';
import type { IPreviewProps } from './previewhost';

/** Says what is wrong, or that there is a newer version. */
export function Banner({ preview, host }: IPreviewProps): React.JSX.Element | null {
  const { trans } = host.format;
  const { problem, lost } = preview;
  const strip = (text: string, action?: { label: string; run: () => void }, role = 'alert'): React.JSX.Element => (
    <div className="jp-ArrowSHM-strip" role={role}>
      <span>{text}</span>{' '}
      {action && (
        <button type="button" className="jp-ArrowSHM-link" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
  const newest = { label: trans.__('Show the new version'), run: () => preview.catchUp() };
  if (preview.isGone && preview.isFile) return strip(trans.__('There is no such file any more. The rows that were loaded stay here.'));
  if (preview.isGone) return strip(trans.__('This table is no longer shared. The rows that were loaded stay here.'));
  if (problem?.kind === 'changed') return strip(trans.__('The older version that was shown here no longer exists.'), newest);
  if (problem?.kind === 'offline') {
    return strip(trans.__('The server does not answer.'), { label: trans.__('Try again'), run: () => preview.retry() });
  }
  if (problem) {
    const text = problem.kind === 'failed' ? problem.message : trans.__('The rows cannot be read.');
    return strip(text, { label: trans.__('Try again'), run: () => preview.retry() });
  }
  if (preview.isOlder && preview.isFile) return strip(trans.__('The file has changed.'), newest);
  if (preview.isOlder) return strip(trans.__('There is a new version of this table.'), newest);
  if (lost.length) return strip(trans.__('The new version does not have %1, so the view is no longer filtered or sorted by it.', lost.join(', ')));
  if (preview.isRowsOnly && preview.table && host.copyHere) {
    const copy = { label: trans.__('Copy'), run: () => host.copyHere?.() };
    return strip(trans.__('Copy it to this machine to sort and filter.'), copy, 'note');
  }
  return null;
}
