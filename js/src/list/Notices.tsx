import React, { useState } from 'react';
import { Problem } from '../shared/table';
import { VERSION } from '../shared/version';
import { IHost } from './host';
import { Icon } from '../shared/icons';

/** There are no tables: two lines that make one, and use it. */
export function Empty({ host }: { host: IHost }): React.JSX.Element {
  const { trans } = host.format;
  return (
    <div className="jp-ArrowSHM-notice">
      <h2>{trans.__('No shared tables')}</h2>
      <p>{trans.__('Share a DataFrame from one notebook:')}</p>
      <Code text={'%load_ext jupyter_arrowshm\n%share df'} host={host} />
      <p>{trans.__('Attach it in another: the same memory, no copy.')}</p>
      <Code text={'%load_ext jupyter_arrowshm\n%attach df'} host={host} />
      <p className="jp-ArrowSHM-muted">{trans.__('In Julia: using ArrowSHM, then @share df and @attach df.')}</p>
    </div>
  );
}

/** What is wrong, and how to mend it; `brief` is a line above a list that is still of use. */
export function Trouble(props: { problem: Problem; host: IHost; brief: boolean }): React.JSX.Element {
  const { problem, host, brief } = props;
  const { trans } = host.format;
  const { title, text, code } = explain(problem, host);
  if (brief) {
    return (
      <div className="jp-ArrowSHM-strip" role="alert">
        <strong>{title}</strong> {text}
      </div>
    );
  }
  return (
    <div className="jp-ArrowSHM-notice" role="alert">
      <h2>{title}</h2>
      <p>{text}</p>
      {code && <Code text={code} host={host} />}
      {code && <p>{trans.__('Then restart the Jupyter server and reload this page.')}</p>}
      <button type="button" className="jp-ArrowSHM-button" onClick={() => host.refresh()}>
        {trans.__('Try again')}
      </button>
    </div>
  );
}

function explain(problem: Problem, host: IHost): { title: string; text: string; code?: string } {
  const { trans } = host.format;
  switch (problem.kind) {
    case 'missing':
      return {
        title: trans.__('The server does not know shared tables'),
        text: trans.__('jupyter-arrowshm is not installed, or not enabled, where the Jupyter server runs. In a terminal there:'),
        code: 'pip install jupyter-arrowshm\njupyter server extension enable jupyter_arrowshm'
      };
    case 'version':
      return {
        title: trans.__('Two versions of jupyter-arrowshm'),
        text: trans.__(
          'The server runs %1, this page %2. After an upgrade, restart the Jupyter server and reload this page.',
          problem.server,
          VERSION
        )
      };
    case 'forbidden':
      return {
        title: trans.__('Not allowed'),
        text: trans.__('This server does not let you see its shared tables. Log in again, or ask who runs it.')
      };
    case 'offline':
      return {
        title: trans.__('No connection.'),
        text: trans.__('The server does not answer; trying again.')
      };
    case 'gone':
    case 'changed':
      return { title: trans.__('Not shared any more'), text: trans.__('Nobody shares this table any more.') };
    case 'failed':
      return { title: trans.__('The tables cannot be read'), text: problem.message };
  }
}

/** Lines to copy. */
function Code({ text, host }: { text: string; host: IHost }): React.JSX.Element {
  const { trans } = host.format;
  const [copied, setCopied] = useState(false);
  return (
    <div className="jp-ArrowSHM-code">
      <pre>{text}</pre>
      {host.copyText && (
        <button
          type="button"
          className="jp-ArrowSHM-tool"
          aria-label={copied ? trans.__('Copied') : trans.__('Copy')}
          title={copied ? trans.__('Copied') : trans.__('Copy')}
          onClick={() => {
            host.copyText?.(text);
            setCopied(true);
          }}
          onBlur={() => setCopied(false)}
        >
          <Icon name={copied ? 'check' : 'copy'} />
        </button>
      )}
    </div>
  );
}
