/** The types of columns as people call them; what Arrow calls them is for tooltips and code. */
import type { TranslationBundle } from '@jupyterlab/translation';

/** @param type - As PyArrow writes it: `int64`, `list<item: string>`, `dictionary<values=string, ...>`. */
export function typeWords(type: string, trans: TranslationBundle): string {
  const list = /^(?:large_|fixed_size_)?list(?:_view)?<[^:<>]*: (.*?)(?: not null)?>(?:\[\d+\])?$/.exec(type);
  if (list) return trans.__('list of %1', typeWords(list[1], trans));
  const values = /^dictionary<values=(.*), indices=/.exec(type);
  if (values) return trans.__('%1 categories', typeWords(values[1], trans));
  const runs = /^run_end_encoded<.*, values: (.*)>$/.exec(type);
  if (runs) return typeWords(runs[1], trans);
  if (/^u?int\d+$/.test(type)) return trans.__('integer');
  if (/^(halffloat|float|double)$/.test(type)) return trans.__('float');
  if (/^decimal/.test(type)) return trans.__('decimal');
  if (/^(large_)?(string|utf8)(_view)?$/.test(type)) return trans.__('text');
  if (type === 'bool') return trans.__('true or false');
  if (/^date/.test(type)) return trans.__('date');
  if (/^time(32|64)/.test(type)) return trans.__('time of day');
  const zone = /^timestamp\[\w+, tz=(.+)\]$/.exec(type);
  if (zone) return trans.__('time in %1', zone[1]);
  if (/^timestamp/.test(type)) return trans.__('time');
  if (/^duration/.test(type)) return trans.__('duration');
  if (/^(large_|fixed_size_)?binary/.test(type)) return trans.__('bytes');
  if (/^struct/.test(type)) return trans.__('record');
  if (/^map/.test(type)) return trans.__('map');
  return type === 'null' ? trans.__('empty') : type;
}

/** The kind of a column, as far as its type tells: what a chart can be made of. */
export function kindOfType(type: string): 'number' | 'bool' | 'time' | 'text' | 'other' {
  const values = /^dictionary<values=(.*), indices=/.exec(type) ?? /^run_end_encoded<.*, values: (.*)>$/.exec(type);
  if (values) return kindOfType(values[1]);
  if (/^(u?int\d+|halffloat|float|double|decimal.*)$/.test(type)) return 'number';
  if (/^(date|time|duration)/.test(type)) return 'time';
  if (/^(large_)?(string|utf8)/.test(type)) return 'text';
  return type === 'bool' ? 'bool' : 'other';
}
