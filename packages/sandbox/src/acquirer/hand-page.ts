import { formatRoubles } from '@kopeck/core/roubles';
import type { Engine, Qr } from './engine.ts';

const STYLE =
  'body{font:16px system-ui;margin:2rem}td,th{padding:.3rem .8rem;text-align:left}button{margin-right:.4rem}';

/** All codes of an acquirer, the newest first, with what a payer can do to them. */
export function handPage(name: string, engine: Engine): string {
  const rows = engine
    .all()
    .toReversed()
    .map((qr) => row(name, qr, engine));
  const link = '<input name="qrId" size="60" placeholder="https://qr.nspk.ru/…" aria-label="link">';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox: ${name}</title>
<style>${STYLE}</style><h1>Sandbox: ${name}</h1>
<p>Nobody's money moves here. <a href="">Look again</a></p>
${form(name, link)}
<table><tr><th>code<th>roubles<th>state<th></tr>${rows.join('\n')}</table></html>`;
}

function row(name: string, qr: Qr, engine: Engine): string {
  const status = engine.statusOf(qr);
  const actions = form(name, `<input type="hidden" name="qrId" value="${qr.qrcId}">`);
  return `<tr><td>${qr.qrcId}<td>${formatRoubles(qr.kopecks, 2)}<td>${status}<td>${status === 'new' ? actions : ''}</tr>`;
}

function form(name: string, input: string): string {
  const buttons = ['pay', 'decline', 'expire'].map(
    (act) => `<button name="act" value="${act}">${act}</button>`,
  );
  return `<form method="post" action="/__sandbox/${name}/act">${input}${buttons.join('')}</form>`;
}
