/** The widgets of jupyter_arrowshm/widget, for any front end that anywidget works in. */
import { createRoot } from 'preact/compat/client';
import React from 'react';
import { Link } from './link';
import { IModel } from './traits';
import { makePlace, tellWhileSeen, whenInDocument } from './place';
import { PreviewView } from './PreviewView';
import { TablesView } from './TablesView';

function render({ model, el }: { model: IModel; el: HTMLElement }): () => void {
  const place = makePlace(el);
  const link = new Link(model);
  const root = createRoot(place);
  const View = model.get('_kind') === 'tables' ? TablesView : PreviewView;
  const giveUp = whenInDocument(place, () => root.render(<View model={model} link={link} />));
  const stop = tellWhileSeen(model, place);
  return () => {
    giveUp();
    stop();
    root.unmount();
    link.dispose();
  };
}

export default { render };
