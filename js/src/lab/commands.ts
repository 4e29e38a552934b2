import { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { LabIcon } from '@jupyterlab/ui-components';
import { LabHost } from './labhost';
import { unused } from '../shared/listing';
import { TablesModel } from './tablesmodel';
import { IPlace } from '../shared/place';
import { ITable } from '../shared/table';
import iconSvg from '../../style/table.svg';

export const tableIcon = new LabIcon({ name: 'arrowshm:table', svgstr: iconSvg });

/** The ids by which the menus of schema/sidebar.json and other extensions find the commands. */
export const CommandIDs = {
  show: 'arrowshm:show',
  open: 'arrowshm:open',
  insertAttach: 'arrowshm:insert-attach',
  insertDetach: 'arrowshm:insert-detach',
  copyPython: 'arrowshm:copy-python',
  copyJulia: 'arrowshm:copy-julia',
  copyR: 'arrowshm:copy-r',
  copyPath: 'arrowshm:copy-path',
  copyFileLine: 'arrowshm:copy-file-line',
  previewFile: 'arrowshm:preview-file',
  copyToPlace: 'arrowshm:copy-to-place',
  fetch: 'arrowshm:copy-from-place',
  placeOpen: 'arrowshm:place-open',
  placeInsert: 'arrowshm:place-insert-attach',
  placePython: 'arrowshm:place-copy-python',
  placeJulia: 'arrowshm:place-copy-julia',
  placeR: 'arrowshm:place-copy-r',
  placeUnshare: 'arrowshm:place-unshare',
  restore: 'arrowshm:restore-preview',
  pin: 'arrowshm:pin',
  unshare: 'arrowshm:unshare',
  collect: 'arrowshm:remove-unused'
} as const;

const ONE_TABLE = {
  type: 'object',
  properties: { name: { type: 'string', description: "The table's name; without it, the one that was right-clicked" } }
} as const;

/** The commands for a table: the one that is named, or the one that the context menu was opened on. */
export function addCommands(
  app: JupyterFrontEnd,
  model: TablesModel,
  host: LabHost,
  panelId: string,
  palette: ICommandPalette | null,
  notebooks: INotebookTracker | null
): void {
  const { trans } = host.format;
  const { commands } = app;
  const nameOf = (args: { name?: unknown }): string | undefined => (typeof args.name === 'string' ? args.name : hit(app));
  const add = (
    id: string,
    label: string | ((table: ITable | undefined) => string),
    execute: (table: ITable) => void,
    isEnabled: (table: ITable) => boolean = () => true
  ): void => {
    const find = (args: { name?: unknown }): ITable | undefined => model.table(nameOf(args) ?? '');
    commands.addCommand(id, {
      label: args => (typeof label === 'string' ? label : label(find(args))),
      isEnabled: args => {
        const table = find(args);
        return table !== undefined && isEnabled(table);
      },
      describedBy: { args: ONE_TABLE },
      execute: args => {
        const table = find(args);
        if (table) execute(table);
      }
    });
  };
  const hasNotebook = (): boolean => Boolean(notebooks?.currentWidget);

  // A name works even before the list has arrived: for a restored tab, or for code of another extension.
  commands.addCommand(CommandIDs.open, {
    label: trans.__('Open'),
    describedBy: { args: ONE_TABLE },
    isEnabled: args => nameOf(args) !== undefined,
    execute: args => {
      const name = nameOf(args);
      if (name !== undefined) host.open(name);
    }
  });
  add(CommandIDs.insertAttach, trans.__('Insert Code to Attach'), table => host.insert?.(table), hasNotebook);
  add(CommandIDs.insertDetach, trans.__('Insert Code to Detach'), table => host.insertDetach(table), hasNotebook);
  add(CommandIDs.copyPython, trans.__('Copy Line for Python'), table => host.copyCode(table, 'python'));
  add(CommandIDs.copyJulia, trans.__('Copy Line for Julia'), table => host.copyCode(table, 'julia'));
  add(CommandIDs.copyR, trans.__('Copy Line for R'), table => host.copyCode(table, 'r'));
  add(CommandIDs.copyToPlace, trans.__('Copy to Another Place…'), table => void host.places.copyTo(table.name));
  add(CommandIDs.copyPath, trans.__('Copy Path of the Arrow File'), table => host.copyPath(table));
  add(
    CommandIDs.pin,
    table => (table?.pinned ? trans.__('Unpin') : trans.__('Pin')),
    table => host.setPinned(table, !table.pinned)
  );
  add(CommandIDs.unshare, table => (table?.origin ? trans.__('Remove…') : trans.__('Unshare…')), table => host.unshare(table));

  const noArguments = { args: { type: 'object', properties: {} } } as const;
  commands.addCommand(CommandIDs.show, {
    label: trans.__('Show Shared Tables'),
    icon: tableIcon,
    describedBy: noArguments,
    execute: () => app.shell.activateById(panelId)
  });
  commands.addCommand(CommandIDs.collect, {
    label: trans.__('Remove Unused Shared Tables…'),
    describedBy: noArguments,
    isEnabled: () => (model.state.listing ? unused(model.state.listing).length > 0 : false),
    execute: () => {
      if (model.state.listing) host.collect(unused(model.state.listing));
    }
  });
  model.changed.connect(() => commands.notifyCommandChanged(CommandIDs.collect));
  for (const command of [CommandIDs.show, CommandIDs.collect]) {
    palette?.addItem({ command, category: trans.__('Shared Tables') });
  }
}

const TABLE_OF_A_PLACE = {
  type: 'object',
  properties: {
    place: { type: 'string', description: 'The name of the place; without it, the table that was right-clicked' },
    name: { type: 'string', description: "The table's name" }
  }
} as const;

/** The commands for a table of another place, which is open in the list. */
export function addPlaceCommands(app: JupyterFrontEnd, host: LabHost, notebooks: INotebookTracker | null): void {
  const { trans } = host.format;
  const { places } = host;
  const find = (args: { place?: unknown; name?: unknown }): { place: IPlace; table: ITable } | undefined => {
    const isNamed = typeof args.place === 'string';
    const place = isNamed ? args.place : app.contextMenuHitTest(isOfPlace)?.dataset.place;
    const section = places.model.section(String(place));
    const name = isNamed ? args.name : hit(app);
    const table = section?.tables?.find(one => one.name === name);
    return section && table && { place: section.place, table };
  };
  const add = (
    id: string,
    label: string,
    execute: (place: IPlace, table: ITable) => void,
    isEnabled: (place: IPlace) => boolean = () => true
  ): void => {
    app.commands.addCommand(id, {
      label,
      describedBy: { args: TABLE_OF_A_PLACE },
      isEnabled: args => {
        const found = find(args);
        return found !== undefined && isEnabled(found.place);
      },
      execute: args => {
        const found = find(args);
        if (found) execute(found.place, found.table);
      }
    });
  };
  const hasNotebook = (): boolean => Boolean(notebooks?.currentWidget);
  add(CommandIDs.placeOpen, trans.__('Open'), (place, table) => places.preview(place, table));
  add(CommandIDs.fetch, trans.__('Copy to This Machine'), (place, table) => places.fetch(place, table));
  add(CommandIDs.placeInsert, trans.__('Insert Code to Attach'), (place, table) => places.insert?.(place, table), hasNotebook);
  add(CommandIDs.placePython, trans.__('Copy Line for Python'), (place, table) => places.copyCode(place, table, 'python'));
  add(CommandIDs.placeJulia, trans.__('Copy Line for Julia'), (place, table) => places.copyCode(place, table, 'julia'));
  add(CommandIDs.placeR, trans.__('Copy Line for R'), (place, table) => places.copyCode(place, table, 'r'));
  add(
    CommandIDs.placeUnshare,
    trans.__('Remove There…'),
    (place, table) => places.unshare(place, table),
    place => place.writable
  );
}

function isOfPlace(node: HTMLElement): boolean {
  return node.dataset.table !== undefined && node.dataset.place !== undefined;
}

/** The files that can be attached by their path (jupyter_arrowshm/loading/files.py), as far as their names tell. */
const FILES = /\.(parquet|pq|arrow|feather|ipc|orc|(csv|tsv|jsonl|ndjson)(\.(gz|bz2|zst|lz4|br))?)$/i;

/** Those that the server shows as tables (jupyter_arrowshm/looking/files.py). */
const SHOWN = /\.(parquet|pq|arrow|feather|ipc|(csv|tsv)(\.(gz|bz2|zst|lz4|br))?)$/i;

/** The drives whose files are in the server's folder: its own, and that of jupyter-collaboration. */
const DRIVES = ['', 'RTC'];

export interface IFileCommandsOptions {
  readonly app: JupyterFrontEnd;
  readonly host: LabHost;
  readonly browsers: IFileBrowserFactory;
  readonly openFile: (path: string) => void;
}

/** The commands of the file browser's context menu. */
export function addFileCommands({ app, host, browsers, openFile }: IFileCommandsOptions): void {
  const { trans } = host.format;
  const { contents } = app.serviceManager;
  const selected = (names: RegExp): string | null => {
    const [item, ...others] = browsers.tracker.currentWidget?.selectedItems() ?? [];
    return item && !others.length && names.test(item.name) ? item.path : null;
  };
  const add = (id: string, label: string, find: () => string | null, execute: (path: string) => void): void => {
    app.commands.addCommand(id, {
      label,
      icon: tableIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isVisible: () => find() !== null,
      execute: () => {
        const path = find();
        if (path !== null) execute(contents.localPath(path));
      }
    });
  };
  const shown = (): string | null => {
    const path = selected(SHOWN);
    return path !== null && DRIVES.includes(contents.driveName(path)) ? path : null;
  };
  add(CommandIDs.previewFile, trans.__('Preview as Table'), shown, openFile);
  add(CommandIDs.copyFileLine, trans.__('Copy %attach Line'), () => selected(FILES), path => host.copyFileLine(path));
}

/** The name of the table under the context menu. */
function hit(app: JupyterFrontEnd): string | undefined {
  return app.contextMenuHitTest(node => node.dataset.table !== undefined)?.dataset.table;
}
