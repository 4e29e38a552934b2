import React, { useEffect, useMemo, useState } from 'react';
import { IPreviewHost } from '../preview/previewhost';
import { PreviewModel } from '../preview/previewmodel';
import { Preview } from '../preview/Preview';
import { Link } from './link';
import { copyText } from './place';
import { FORMAT } from './english';

const SHOWN = 4000; // ms

interface IRowsProps extends Pick<IPreviewHost, 'onSelect' | 'copyHere'> {
  readonly preview: PreviewModel;
  readonly link: Link;
}

/** A preview in a notebook's output, with its messages. */
export function Rows({ preview, link, onSelect, copyHere }: IRowsProps): React.JSX.Element {
  const [message, setMessage] = useState('');
  const [isLate, setLate] = useState(false);
  const host = useMemo<IPreviewHost>(() => ({ format: FORMAT, copyText, notify: setMessage, onSelect, copyHere }), [onSelect, copyHere]);
  useEffect(() => {
    const timer = setTimeout(() => setMessage(''), SHOWN);
    return () => clearTimeout(timer);
  }, [message]);
  useEffect(() => {
    const timer = setInterval(() => setLate(link.isLate), 1000);
    return () => clearInterval(timer);
  }, [link]);
  const text = message || (isLate ? FORMAT.trans.__('The rows cannot be loaded: the kernel is busy or has stopped.') : '');
  return (
    <div className="jp-ArrowSHM-widgetRows">
      <Preview preview={preview} host={host} />
      <div className="jp-ArrowSHM-message" role="status" hidden={!text}>
        {text}
      </div>
    </div>
  );
}
