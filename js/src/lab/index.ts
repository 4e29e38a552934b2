import { ILabShell, ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Client } from './client';
import { addCommands, addFileCommands, addPlaceCommands, tableIcon } from './commands';
import { Format } from '../shared/format';
import { LabHost, pathForCode } from './labhost';
import { IListOptions, LIST_OPTIONS, restoredOptions } from '../shared/listing';
import { TablesModel } from './tablesmodel';
import { PreviewTabs } from './previewtabs';
import { addSqlCommand } from './sqltab';
import { Sidebar } from './sidebar';

/** The event that the server emits when something happens to a table (jupyter_arrowshm/server/events/table.yaml). */
const EVENTS = 'https://events.jupyter.org/jupyter_arrowshm/table';
const ID = 'jupyter-arrowshm:sidebar';
const PANEL = 'jp-arrowshm-tables';

const sidebar: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Shared tables: what is shared, how big it is, and who uses it.',
  autoStart: true,
  optional: [
    ITranslator,
    ILayoutRestorer,
    ICommandPalette,
    INotebookTracker,
    IDocumentManager,
    IStateDB,
    ISettingRegistry,
    ILabShell,
    IFileBrowserFactory
  ],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    notebooks: INotebookTracker | null,
    documents: IDocumentManager | null,
    state: IStateDB | null,
    settings: ISettingRegistry | null,
    labShell: ILabShell | null,
    browsers: IFileBrowserFactory | null
  ) => {
    const { events, serverSettings, sessions } = app.serviceManager;
    const translations = translator ?? nullTranslator;
    const trans = translations.load('jupyter_arrowshm');
    const client = new Client(serverSettings);
    const model = new TablesModel(client);
    const format = new Format(trans, translations.languageCode);
    const tabs = new PreviewTabs({
      app,
      client,
      model,
      format,
      labShell,
      pathForCode: path => pathForCode(path, notebooks?.currentWidget ?? null),
      copyHere: (place, name) => host.places.copyHere(place, name)
    });
    const host: LabHost = new LabHost({
      client,
      model,
      format,
      notebooks,
      documents,
      openPreview: name => tabs.open(name),
      openPlaced: (place, name) => tabs.openPlaced(place, name)
    });
    addCommands(app, model, host, PANEL, palette, notebooks);
    addPlaceCommands(app, host, notebooks);
    addSqlCommand({ app, client, format, labShell, palette, openPreview: name => tabs.open(name) });
    if (browsers) addFileCommands({ app, host, browsers, openFile: path => tabs.openFile(path) });

    const panel = new Sidebar(model, host, LIST_OPTIONS, options => {
      void state?.save(ID, { ...options });
    });
    // Not earlier: the stored state is there only after all plugins have started, and JupyterLab's shortcuts fail if
    // settings are loaded before their own.
    void app.restored
      .then(() => listOptions(state, settings))
      .then(options => {
        panel.options = options;
      });
    panel.id = PANEL;
    panel.title.icon = tableIcon;
    panel.title.caption = trans.__('Shared Tables');

    events.stream.connect((_, event) => {
      if (event.schema_id === EVENTS) model.hint();
    });
    // A notebook was renamed, or a kernel is new: the users of a table have other names now.
    sessions.runningChanged.connect(() => model.hint());
    app.serviceManager.connectionFailure.connect(() => model.hint());
    // There is now a notebook to insert code into, or there is no longer one.
    notebooks?.currentChanged.connect(() => panel.update());

    app.shell.add(panel, 'left', { rank: 350, type: 'Shared Tables' });
    restorer?.add(panel, panel.id);
    if (restorer) tabs.restore(restorer);
  }
};

/** The options as they were left, or else as the settings say. */
async function listOptions(state: IStateDB | null, registry: ISettingRegistry | null): Promise<IListOptions> {
  const stored = await state?.fetch(ID).catch(() => undefined);
  if (stored) return restoredOptions(stored);
  const settings = await registry?.load(ID).catch(() => undefined);
  return restoredOptions({ ...LIST_OPTIONS, order: settings?.get('order').composite });
}

export default sidebar;
