import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';
import { Client } from './client';
import { Format } from './format';
import { LabHost } from './host';
import { TablesModel } from './model';
import { Sidebar } from './sidebar';
import iconSvg from '../style/table.svg';

/** What the server emits when something happens to a table (jupyter_arrowshm/server/events/table.yaml). */
const EVENTS = 'https://events.jupyter.org/jupyter_arrowshm/table';
const SHOW = 'arrowshm:show';

export const tableIcon = new LabIcon({ name: 'arrowshm:table', svgstr: iconSvg });

const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-arrowshm:sidebar',
  description: 'Shared tables: what is shared, how big it is, and who uses it.',
  autoStart: true,
  optional: [ITranslator, ILayoutRestorer, ICommandPalette, INotebookTracker, IDocumentManager],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null,
    documents: IDocumentManager | null
  ) => {
    const { events, serverSettings, sessions } = app.serviceManager;
    const translations = translator ?? nullTranslator;
    const trans = translations.load('jupyter_arrowshm');
    const client = new Client(serverSettings);
    const model = new TablesModel(client);
    const format = new Format(trans, translations.languageCode);
    const panel = new Sidebar(model, new LabHost({ client, model, format, notebooks, documents }));
    panel.id = 'jp-arrowshm-tables';
    panel.title.icon = tableIcon;
    panel.title.caption = trans.__('Shared Tables');

    events.stream.connect((_, event) => {
      if (event.schema_id === EVENTS) model.hint();
    });
    // A notebook that was renamed, or a kernel that is new: the users of a table are called otherwise.
    sessions.runningChanged.connect(() => model.hint());
    app.serviceManager.connectionFailure.connect(() => model.hint());
    // There is a notebook to insert code into, or none any more.
    notebooks?.currentChanged.connect(() => panel.update());

    app.shell.add(panel, 'left', { rank: 350, type: 'Shared Tables' });
    restorer?.add(panel, panel.id);
    app.commands.addCommand(SHOW, {
      label: trans.__('Show Shared Tables'),
      icon: tableIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => app.shell.activateById(panel.id)
    });
    palette?.addItem({ command: SHOW, category: trans.__('Shared Tables') });
  }
};

export default sidebar;
