import type { Severity } from './check.ts';
import type { Examined } from './examine.ts';

const WORD: Readonly<Record<Severity, string>> = { ok: 'ok', warn: 'WARN', error: 'ERROR' };

/** A line a finding, and below it what to do. */
export function asText(examined: readonly Examined[]): string {
  const width = Math.max(0, ...examined.map(({ check }) => check.length));
  const lines = examined.flatMap((finding) => {
    const head = `${WORD[finding.severity].padEnd(5)}  ${finding.check.padEnd(width)}  `;
    const line = `${head}${finding.what}`;
    return finding.severity === 'ok'
      ? [line]
      : [line, `${' '.repeat(head.length)}-> ${finding.cure}`];
  });
  return [...lines, '', summary(examined)].join('\n');
}

export function asJson(examined: readonly Examined[]): string {
  return JSON.stringify({ healthy: isHealthy(examined), findings: examined }, null, 2);
}

/** Warnings are for people to think about; only an error is bad news. */
export function isHealthy(examined: readonly Examined[]): boolean {
  return examined.every(({ severity }) => severity !== 'error');
}

function summary(examined: readonly Examined[]): string {
  const count = (severity: Severity): number =>
    examined.filter((finding) => finding.severity === severity).length;
  return `${count('ok')} in order, ${count('warn')} warnings, ${count('error')} errors`;
}
