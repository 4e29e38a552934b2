import React from 'react';

const PATHS = {
  right: 'M6 4l4 4-4 4',
  insert: 'M2.5 3h11M2.5 6h6M8 9.5h5.5M10.75 6.75v5.5M2.5 9h3M2.5 12h3',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  check: 'M3 8.5l3.2 3.2L13 5',
  pin: 'M6 2.5h4M6.7 2.5v4L4.5 9v.8h7V9L9.3 6.5v-4M8 9.8v4.2',
  remove: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9M6.8 7v4M9.2 7v4',
  notebook: 'M4 2.5h8.5v11H4zM6.3 2.5v11M2.8 5h2M2.8 8h2M2.8 11h2',
  process: 'M2.5 3.5h11v9h-11zM4.8 6.3l2 1.7-2 1.7M8.3 10h2.7',
  table: 'M2.5 3h11v10h-11zM2.5 6.2h11M2.5 9.6h11M6.2 6.2V13',
  view: 'M2.5 4h11M2.5 8h11M2.5 12h11M5 2.8v2.4M10.5 6.8v2.4M7 10.8v2.4',
  users: 'M6 7.5a2.2 2.2 0 1 0 0-4.4a2.2 2.2 0 0 0 0 4.4zM2 13c0-2.3 1.7-3.8 4-3.8s4 1.5 4 3.8M10.2 3.3a2.2 2.2 0 0 1 0 4.1M11.5 9.5c1.6.5 2.5 1.8 2.5 3.5',
  ended: 'M5 3.6a5.6 5.6 0 1 0 6 0M8 2.2v5',
  unused: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11zM8 5v3.3l2 1.4',
  older: 'M8 2.5l5.5 2.7L8 7.9L2.5 5.2zM2.5 8L8 10.7L13.5 8M2.5 10.8L8 13.5l5.5-2.7',
  close: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  more: 'M7.5 3.5a.5.5 0 1 0 1 0a.5.5 0 1 0-1 0M7.5 8a.5.5 0 1 0 1 0a.5.5 0 1 0-1 0M7.5 12.5a.5.5 0 1 0 1 0a.5.5 0 1 0-1 0',
  folder: 'M2 4.5v8h12v-6.5H8L6.5 4.5z',
  refresh: 'M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3.2H9.8',
  fetch: 'M8 2.5v7M5 6.8l3 3l3-3M2.5 10.5v3h11v-3',
  put: 'M8 10v-7M5 5.6l3-3l3 3M2.5 10.5v3h11v-3',
  search: 'M7 2.8a4.2 4.2 0 1 0 0 8.4a4.2 4.2 0 0 0 0-8.4zM10.2 10.2l3.3 3.3'
};

export type IconName = keyof typeof PATHS;

/** A line drawing in the colour of the text. It says nothing that the text beside it, or its button's name, does not. */
export function Icon({ name, filled = false }: { name: IconName; filled?: boolean }): React.JSX.Element {
  return (
    <svg className="jp-ArrowSHM-icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} className={filled ? 'jp-mod-filled' : undefined} />
    </svg>
  );
}
