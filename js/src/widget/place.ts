/** The place of a view in a notebook's output. */
import type { IModel } from './traits';

const SAID_AGAIN = 30_000; // ms; the kernel forgets a view that is silent for longer (base.py, WATCHED_FOR)
/** A view that is out of sight for less than this was only scrolled past. */
const HIDDEN = 2000; // ms

/** An element for a view, and what it needs around it. */
export function makePlace(el: HTMLElement): HTMLElement {
  const root = document.createElement('div');
  root.className = 'jp-ArrowSHM-widget';
  // Keys are meant for the view: in a notebook's command mode, a letter would cut the cell.
  root.dataset.lmSuppressShortcuts = 'true';
  root.dataset.jpSuppressContextMenu = 'true';
  root.addEventListener('keydown', event => event.stopPropagation());
  const place = document.createElement('div');
  place.className = 'jp-ArrowSHM';
  root.append(place);
  el.append(root);
  // Pages without JupyterLab's variables (VS Code, Colab, a plain page) get them from their own styles.
  // The element is not in a page yet, and has no style.
  const isPlain = !getComputedStyle(document.body).getPropertyValue('--jp-layout-color1');
  root.classList.toggle('jp-mod-plain', isPlain);
  return place;
}

/** Call once the element is in the document: the classic Notebook may put a view there only after it is drawn. */
export function whenInDocument(place: HTMLElement, call: () => void): () => void {
  const observer = new ResizeObserver(() => {
    // Observed before, it has no size.
    if (!place.isConnected) return;
    observer.disconnect();
    call();
  });
  observer.observe(place);
  return () => observer.disconnect();
}

/** Tell the kernel while the view can be seen, until the returned function is called. */
export function tellWhileSeen(model: IModel, place: HTMLElement): () => void {
  const view = crypto.getRandomValues(new Uint32Array(2)).join('-');
  let isInSight = false;
  let isTold = false;
  let later: ReturnType<typeof setTimeout> | undefined;
  const tell = (on: boolean): void => {
    isTold = on;
    model.send({ watch: view, on });
  };
  const look = (): void => {
    const isSeen = isInSight && !document.hidden;
    clearTimeout(later);
    if (isSeen && !isTold) tell(true);
    else if (!isSeen && isTold) later = setTimeout(() => tell(false), HIDDEN);
  };
  const observer = new IntersectionObserver(entries => {
    isInSight = entries.some(entry => entry.isIntersecting);
    look();
  });
  observer.observe(place);
  document.addEventListener('visibilitychange', look);
  const again = setInterval(() => {
    if (isTold) tell(true);
  }, SAID_AGAIN);
  return () => {
    clearTimeout(later);
    clearInterval(again);
    observer.disconnect();
    document.removeEventListener('visibilitychange', look);
    if (isTold) tell(false);
  };
}

/** The clipboard needs HTTPS, and in some pages a permission. */
export function copyText(text: string): void {
  if (window.isSecureContext) navigator.clipboard.writeText(text).catch(() => copyOld(text));
  else copyOld(text);
}

function copyOld(text: string): void {
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
