import React, { useEffect, useState } from 'react';
import { restoredNumbers } from '../preview/columnstyle';
import { PreviewModel } from '../preview/previewmodel';
import { WHOLE } from '../preview/query';
import type { IPreviewTable } from '../preview/source';
import { KernelSource } from './kernelsource';
import { Link } from './link';
import { change, IModel, isSame, onChange } from './traits';
import { Rows } from './Rows';
import { Selection } from './selection';
import { ITerms, termsOf, viewOf } from './terms';

/** One table's rows. */
export function PreviewView({ model, link }: { model: IModel; link: Link }): React.JSX.Element {
  const [made, setMade] = useState<IMade | null>(null);
  useEffect(() => {
    const making = makePreview(model, link);
    setMade(making);
    return making.dispose;
  }, [model, link]);
  return (
    <div className="jp-ArrowSHM-selected">
      {made && <Rows preview={made.preview} link={link} onSelect={made.selection.changed} />}
    </div>
  );
}

interface IMade {
  readonly preview: PreviewModel;
  readonly selection: Selection;
  readonly dispose: () => void;
}

/** A preview whose view follows the widget's traits, no matter who changes them. */
function makePreview(model: IModel, link: Link): IMade {
  const table = (): IPreviewTable | null => model.get('_table') as IPreviewTable | null;
  const source = new KernelSource(link, table, callback => onChange(model, ['_table'], callback));
  const wanted = (): ITerms => ({ sort: model.get('sort') as ITerms['sort'], filter: model.get('filter') as ITerms['filter'] });
  const seen = (): ReturnType<typeof viewOf> => viewOf(wanted(), preview.table?.schema ?? table()?.schema ?? []);
  const view = { ...WHOLE, ...viewOf(wanted(), table()?.schema ?? []) };
  const preview: PreviewModel = new PreviewModel(source, { view, follow: true, numbers: restoredNumbers(model.get('formats')) });
  preview.search = model.get('search') as string;
  // 3 and "3" ask for the same rows: a value from Python stays as Python wrote it.
  const differs = (): boolean => !isSame(termsOf(preview.view), termsOf(seen()));
  const stops = [
    onChange(model, ['sort', 'filter'], () => {
      if (differs()) preview.view = { ...preview.view, ...seen() };
    }),
    onChange(model, ['formats'], () => {
      const formats = restoredNumbers(model.get('formats'));
      if (!isSame(formats, preview.formats)) preview.formats = formats;
    }),
    onChange(model, ['search'], () => {
      preview.search = model.get('search') as string;
    }),
    preview.onChange(({ kind }) => {
      if (kind === 'state') change(model, { formats: preview.formats, search: preview.search, version: preview.table?.version ?? '' });
      if (['rows', 'state'].includes(kind) && preview.table && differs()) change(model, { ...termsOf(preview.view) });
    })
  ];
  const selection = new Selection(preview, model, link);
  return {
    preview,
    selection,
    dispose: () => {
      for (const stop of stops) stop();
      selection.dispose();
      preview.dispose();
    }
  };
}
