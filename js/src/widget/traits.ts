/** The front end's link to the widget's kernel: anywidget's model (anywidget.dev/en/afm). */
export interface IModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, callback: (...args: never[]) => void): void;
  off(event: string, callback: (...args: never[]) => void): void;
  send(content: unknown): void;
}

/** Call back when one of these changes, until the returned function is called. */
export function onChange(model: IModel, names: readonly string[], callback: () => void): () => void {
  const events = names.map(name => `change:${name}`);
  for (const event of events) model.on(event, callback);
  return () => {
    for (const event of events) model.off(event, callback);
  };
}

/** Tell the kernel about changes; values that it already has are not sent. */
export function change(model: IModel, values: Record<string, unknown>): void {
  const news = Object.entries(values).filter(([name, value]) => !isSame(model.get(name), value));
  for (const [name, value] of news) model.set(name, value);
  if (news.length) model.save_changes();
}

export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
