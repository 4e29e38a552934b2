import React, { useEffect, useRef, useState } from 'react';

export interface IMenuItem {
  readonly label: string;
  run(): void;
}

/** A button that opens a list of things to do; by keyboard as the pattern "menu button" of the ARIA guide has it. */
export function Menu({ label, items }: { label: string; items: readonly IMenuItem[] }): React.JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useOutside(place, isOpen, () => setOpen(false));
  useEffect(() => {
    if (isOpen) place.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
  }, [isOpen]);

  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  const move = (event: React.KeyboardEvent): void => {
    const all = [...(place.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const here = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Tab') setOpen(false);
    else if (event.key === 'Escape') close();
    else if (to !== undefined) all[to % all.length].focus();
    else return;
    if (event.key !== 'Tab') event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="jp-ArrowSHM-menu" ref={place}>
      <button
        type="button"
        ref={button}
        className="jp-ArrowSHM-button"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={event => {
          if (event.key !== 'ArrowDown') return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {label} <span aria-hidden="true">▾</span>
      </button>
      {isOpen && (
        <div role="menu" aria-label={label} className="jp-ArrowSHM-popup" onKeyDown={move}>
          {items.map(item => (
            <button
              type="button"
              key={item.label}
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                close();
                item.run();
              }}
            >
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** Close what is open when the user presses somewhere else. */
export function useOutside(place: React.RefObject<HTMLElement>, isOpen: boolean, close: () => void): void {
  const latest = useRef(close);
  latest.current = close;
  useEffect(() => {
    if (!isOpen) return undefined;
    const pressed = (event: Event): void => {
      if (!place.current?.contains(event.target as Node)) latest.current();
    };
    document.addEventListener('pointerdown', pressed, true);
    return () => document.removeEventListener('pointerdown', pressed, true);
  }, [place, isOpen]);
}
