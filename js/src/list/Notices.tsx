import React, { useState } from 'react';
import { Problem } from '../shared/table';
import { VERSION } from '../shared/version';
import { IListHost } from './listhost';
import { Icon } from '../shared/icons';

/** Shown where there are no tables: how to share one, and how to use it. */
export function Empty({ host }: { host: IListHost }): React.JSX.Element {
  const { trans } = host.format;
  return (
    <div className="jp-ArrowSHM-notice">
      <h2>{trans.__('No shared tables')}</h2>
      <p>{trans.__('Share a DataFrame from one notebook:')}</p>
      <Code text={'%load_ext jupyter_arrowshm\n%share df'} host={host} />
      <p>{trans.__('Attach it in another notebook. Both use the same memory, and nothing is copied.')}</p>
      <Code text={'%load_ext jupyter_arrowshm\n%attach df'} host={host} />
      <p className="jp-ArrowSHM-muted">{trans.__('In Julia, run using ArrowSHM, then @share df or @attach df.')}</p>
      <p className="jp-ArrowSHM-muted">
        {trans.__('In R, run library(arrowshm), then share_table(df) or df <- attach_table("df").')}
      </p>
    </div>
  );
}

/** Says what is wrong and what to do; `brief`: in one line above a list that can still be used. */
export function Trouble(props: { problem: Problem; host: IListHost; brief: boolean }): React.JSX.Element {
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

function explain(problem: Problem, host: IListHost): { title: string; text: string; code?: string } {
  const { trans } = host.format;
  switch (problem.kind) {
    case 'missing':
      return {
        title: trans.__('The server extension is missing'),
        text: trans.__('The Jupyter server runs without jupyter-arrowshm. To install and enable it, run this in a terminal on the server:'),
        code: 'pip install jupyter-arrowshm\njupyter server extension enable jupyter_arrowshm'
      };
    case 'version':
      return {
        title: trans.__('The versions do not match'),
        text: trans.__(
          'The server has jupyter-arrowshm %1, but this page has %2. Restart the Jupyter server and reload this page.',
          problem.server,
          VERSION
        )
      };
    case 'forbidden':
      return {
        title: trans.__('Not allowed'),
        text: trans.__('You may not see the shared tables of this server. Log in again, or ask its administrator.')
      };
    case 'offline':
      return {
        title: trans.__('No connection.'),
        text: trans.__('The server does not answer. This page keeps trying.')
      };
    case 'gone':
    case 'changed':
      return { title: trans.__('No longer shared'), text: trans.__('This table is no longer shared.') };
    case 'failed':
      return { title: trans.__('The tables cannot be read'), text: problem.message };
  }
}

/** Lines to copy. */
function Code({ text, host }: { text: string; host: IListHost }): React.JSX.Element {
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
