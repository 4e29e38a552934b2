import React, { useEffect, useRef, useState } from 'react';
import type { Format } from '../shared/format';
import { Icon } from '../shared/icons';
import type { IPlace } from './cellactions';
import type { Find } from './find';

interface IFindBarProps {
  readonly find: Find;
  readonly format: Format;
  /** The cell that the keyboard is on. */
  readonly cursor: () => IPlace | null;
  readonly close: () => void;
}

/** Nothing is searched while the user is still typing. */
const SETTLED = 200; // ms

/** A line to look for a text in the cells: Enter goes to the next cell, Shift+Enter to the previous one, Escape back to the grid. */
export function FindBar({ find, format, cursor, close }: IFindBarProps): React.JSX.Element {
  const { trans } = format;
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(find.text);
  const [ignoreCase, setIgnoreCase] = useState(find.ignoreCase);
  // What was searched last, if it was from here: anything else came from outside, and is shown.
  const asked = useRef(find.text);
  useEffect(() => {
    if (find.text !== asked.current) setText(find.text);
    asked.current = find.text;
  }, [find.text]);
  const start = (): void => {
    asked.current = text;
    find.start(text, ignoreCase, origin);
  };
  // More letters are looked for from where the first one was.
  const [origin] = useState(cursor);
  const isStarted = text === find.text && ignoreCase === find.ignoreCase;
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  useEffect(() => {
    if (isStarted) return undefined;
    const timer = setTimeout(start, SETTLED);
    return () => clearTimeout(timer);
  }, [find, text, ignoreCase, origin, isStarted]);
  const go = (direction: -1 | 1): void => {
    if (isStarted) void find.go(direction, cursor());
    else start();
  };
  return (
    <div
      className="jp-ArrowSHM-find"
      role="search"
      onKeyDown={event => {
        if (event.key === 'Escape') close();
        else if (event.key === 'Enter' && event.target === input.current) go(event.shiftKey ? -1 : 1);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    >
      <input
        ref={input}
        aria-label={trans.__('Find in the text columns')}
        placeholder={trans.__('Find in the text columns')}
        spellCheck={false}
        value={text}
        onChange={event => setText(event.target.value)}
      />
      <button
        type="button"
        className="jp-ArrowSHM-button"
        aria-label={trans.__('Match case')}
        title={trans.__('Match case')}
        aria-pressed={!ignoreCase}
        onClick={() => setIgnoreCase(!ignoreCase)}
      >
        Aa
      </button>
      {([-1, 1] as const).map(step => (
        <button
          type="button"
          key={step}
          className="jp-ArrowSHM-tool"
          aria-label={step < 0 ? trans.__('Previous match') : trans.__('Next match')}
          title={step < 0 ? trans.__('Previous match (Shift+Enter)') : trans.__('Next match (Enter)')}
          onClick={() => go(step)}
        >
          {step < 0 ? '▴' : '▾'}
        </button>
      ))}
      <span role="status">{isStarted ? foundWords(find, format) : ''}</span>
      <button type="button" className="jp-ArrowSHM-tool jp-ArrowSHM-findClose" aria-label={trans.__('Close the search')} onClick={close}>
        <Icon name="close" />
      </button>
    </div>
  );
}

/** How many rows have the text, and which of them this is. */
function foundWords({ text, found, number, isBusy, problem }: Find, format: Format): string {
  const { trans } = format;
  if (problem || !text) return problem;
  if (!found) return isBusy ? trans.__('Searching…') : '';
  const { matches, searched, num_rows: rows, columns } = found;
  if (!columns) return trans.__('No text column is shown.');
  const isWhole = searched >= rows;
  if (!matches) return isWhole ? trans.__('No row has it.') : trans.__('Searching, %1 done', format.share(searched / rows));
  const all = isWhole ? format.rows(matches) : trans.__('%1+ rows', format.count(matches));
  const words = number === null ? all : trans.__('%1 of %2', format.count(number), all);
  return isWhole ? words : trans.__('%1, %2 searched', words, format.share(searched / rows));
}
