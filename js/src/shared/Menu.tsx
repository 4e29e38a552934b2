import React, { useEffect, useId, useRef, useState } from 'react';
import { Icon, IconName } from './icons';

export interface IMenuItem {
  readonly label: string;
  /** For items of which one is chosen: whether it is this one. */
  readonly checked?: boolean;
  readonly run: () => void;
}

export interface IMenuSection {
  /** The heading of the section; a menu with one section needs none. */
  readonly title?: string;
  readonly items: readonly IMenuItem[];
}

interface IMenuProps {
  readonly label: string;
  /** Shown instead of the label, which is then the button's tooltip. */
  readonly icon?: IconName;
  readonly sections: readonly IMenuSection[];
}

/** A button that opens a list of actions; the keyboard follows the "menu button" pattern of the ARIA guide. */
export function Menu({ label, icon, sections }: IMenuProps): React.JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useOutside(place, isOpen, () => setOpen(false));

  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div className="jp-ArrowSHM-menu" ref={place}>
      <button
        type="button"
        ref={button}
        className={icon ? 'jp-ArrowSHM-tool' : 'jp-ArrowSHM-button'}
        aria-label={icon && label}
        title={icon && label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={event => {
          if (event.key !== 'ArrowDown') return;
          event.preventDefault();
          setOpen(true);
        }}
      >
        {icon ? (
          <Icon name={icon} />
        ) : (
          <>
            {label} <span aria-hidden="true">▾</span>
          </>
        )}
      </button>
      {isOpen && <MenuList label={label} sections={sections} close={close} leave={() => setOpen(false)} />}
    </div>
  );
}

interface IMenuListProps extends Pick<IMenuProps, 'label' | 'sections'> {
  /** Close it, and put the keyboard where it was. */
  readonly close: () => void;
  /** The keyboard has left it. */
  readonly leave: () => void;
}

/** The open list; the keyboard is in it. */
export function MenuList({ label, sections, close, leave }: IMenuListProps): React.JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => list.current?.querySelector<HTMLElement>(ITEM)?.focus(), []);
  const move = (event: React.KeyboardEvent): void => {
    const all = [...(list.current?.querySelectorAll<HTMLElement>(ITEM) ?? [])];
    const here = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Tab') leave();
    else if (event.key === 'Escape') close();
    else if (to !== undefined) all[to % all.length].focus();
    else return;
    if (event.key !== 'Tab') event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div role="menu" aria-label={label} className="jp-ArrowSHM-popup" ref={list} onKeyDown={move}>
      {sections.map((section, index) => (
        <Section key={index} section={section} close={close} />
      ))}
    </div>
  );
}

const ITEM = '[role^=menuitem]';

function Section({ section: { title, items }, close }: { section: IMenuSection; close: () => void }): React.JSX.Element {
  const id = useId();
  return (
    <div role="group" aria-labelledby={title && id}>
      {title && (
        <div className="jp-ArrowSHM-menuTitle" id={id}>
          {title}
        </div>
      )}
      {items.map(({ label, checked, run }) => (
        <button
          type="button"
          key={label}
          role={checked === undefined ? 'menuitem' : 'menuitemradio'}
          aria-checked={checked}
          tabIndex={-1}
          onClick={() => {
            close();
            run();
          }}
        >
          {checked !== undefined && <span aria-hidden="true">{checked ? <Icon name="check" /> : null}</span>}
          {label}
        </button>
      ))}
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
