/** Gives the person plain data as a file. */
export function saveJson(name: string, data: unknown): void {
  download(name, 'application/json', `${JSON.stringify(data, null, 2)}\n`);
}

/** Gives the person a file; it is where their browser puts files. */
export function download(name: string, type: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
