/** A table in Markdown, columns aligned: names to the left, figures to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? name.length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, i) => (i === 0 ? (cells[i] ?? '').padEnd(width) : (cells[i] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return `${[line(head), rule, ...rows.map(line)].join('\n')}\n`;
}

/** Writes text and the end of a line to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A number with so many decimals and no more; `-` for none. */
export function shown(value: number | null, decimals = 0): string {
  return value === null || Number.isNaN(value) ? '-' : value.toFixed(decimals);
}
