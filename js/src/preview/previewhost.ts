import type { Format } from '../shared/format';
import type { Grid } from './grid';
import type { PreviewModel } from './previewmodel';

/** What a preview can ask of the place that it is in. */
export interface IPreviewHost {
  readonly format: Format;
  copyText?(text: string): void;
  /** Say that something was done, or what is wrong. */
  notify(message: string, isError?: boolean): void;
  /** Called when the grid is there, and whenever something else is selected in it. */
  onSelect?(grid: Grid): void;
}

export interface IPreviewProps {
  readonly preview: PreviewModel;
  readonly host: IPreviewHost;
}
