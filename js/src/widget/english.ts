import type { TranslationBundle } from '@jupyterlab/translation';
import { Format } from '../shared/format';

/** Put arguments in place of %1, %2, ... */
function filled(text: string, args: readonly (string | number)[]): string {
  return text.replace(/%(\d+)/g, (place, number: string) => String(args[Number(number) - 1] ?? place));
}

/** A notebook's output has no translations: the words are English, numbers and dates are the browser's. */
const ENGLISH = {
  __: (text: string, ...args: string[]) => filled(text, args),
  _n: (one: string, many: string, n: number, ...args: string[]) => filled(n === 1 ? one : many, [n, ...args])
} as TranslationBundle;

export const FORMAT = new Format(ENGLISH, 'en');
