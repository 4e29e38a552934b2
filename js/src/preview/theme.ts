import type { DataGrid } from '@lumino/datagrid';

/** Colours and fonts of the page, for drawing on a canvas, which CSS does not reach. */
export interface ITheme {
  readonly background: string;
  readonly band: string;
  readonly header: string;
  readonly line: string;
  readonly text: string;
  readonly muted: string;
  readonly accent: string;
  /** Behind the cells that have a text. */
  readonly mark: string;
  readonly font: string;
  readonly boldFont: string;
  readonly smallFont: string;
  readonly italicFont: string;
}

/** @param node - The place of the grid: JupyterLab's themes set variables, other pages at least a colour. */
export function themeOf(node: HTMLElement): ITheme {
  const style = getComputedStyle(node);
  // A canvas takes `Canvas` for white, even where the page is dark: an element turns a colour into a plain value.
  const probe = node.appendChild(document.createElement('span'));
  const read = (name: string, otherwise: string): string => {
    probe.style.color = `var(${name}, ${otherwise})`;
    return getComputedStyle(probe).color;
  };
  const background = read('--jp-layout-color1', '#ffffff');
  const family = style.getPropertyValue('--jp-ui-font-family').trim() || style.fontFamily;
  // Canvas takes pixels; the variables may be in any unit, so an element's own size is asked for.
  const size = Math.round(parseFloat(style.fontSize)) || 13;
  const theme = {
    background,
    band: background,
    header: read('--jp-layout-color2', '#f5f5f5'),
    line: read('--jp-border-color2', '#e0e0e0'),
    text: read('--jp-ui-font-color1', style.color),
    muted: read('--jp-ui-font-color2', '#616161'),
    accent: read('--jp-brand-color1', '#1976d2'),
    mark: mixed(read('--jp-warn-color1', '#f57c00'), 30),
    font: `${size}px ${family}`,
    boldFont: `600 ${size}px ${family}`,
    smallFont: `${size - 2}px ${family}`,
    italicFont: `italic ${size}px ${family}`
  };
  probe.remove();
  return theme;
}

function mixed(colour: string, percent: number): string {
  return `color-mix(in srgb, ${colour} ${percent}%, transparent)`;
}

export function gridStyle(theme: ITheme): DataGrid.Style {
  const accent = (percent: number): string => mixed(theme.accent, percent);
  return {
    voidColor: theme.background,
    backgroundColor: theme.background,
    gridLineColor: theme.line,
    headerBackgroundColor: theme.header,
    headerGridLineColor: theme.line,
    selectionFillColor: accent(15),
    selectionBorderColor: theme.accent,
    cursorFillColor: accent(10),
    cursorBorderColor: theme.accent,
    headerSelectionFillColor: accent(12),
    headerSelectionBorderColor: 'transparent',
    scrollShadow: { size: 6, color1: 'rgba(0, 0, 0, 0.15)', color2: 'rgba(0, 0, 0, 0.05)', color3: 'rgba(0, 0, 0, 0)' }
  };
}

/** Call back when the page changes its theme, until the returned function is called. */
export function onThemeChange(callback: () => void): () => void {
  const observer = new MutationObserver(callback);
  // JupyterLab sets the theme's name when its styles are there; others change a class.
  const attributeFilter = ['data-jp-theme-name', 'data-jp-theme-light', 'data-vscode-theme-kind', 'class', 'theme'];
  observer.observe(document.body, { attributeFilter });
  observer.observe(document.documentElement, { attributeFilter });
  const media = matchMedia('(prefers-color-scheme: dark)');
  media.addEventListener('change', callback);
  return () => {
    observer.disconnect();
    media.removeEventListener('change', callback);
  };
}
