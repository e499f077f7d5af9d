import { encodeQR } from 'qr';
import { formatRoubles } from '@kopeck/core/roubles';
import { canBePaid, statusOf, type Order } from './order.ts';
import { bankLinks } from './page-banks.ts';
import type { PageText } from './page-text.ts';

/** Everything that runs on the page. News replace its contents, without a reload. */
export const PAGE_SCRIPT = `
const page = document.querySelector('main');
const news = new EventSource(location.pathname + '/events');
news.addEventListener('status', async ({ data }) => {
  if (data === page.dataset.status) return;
  const text = await (await fetch(location.href)).text();
  const fresh = new DOMParser().parseFromString(text, 'text/html').querySelector('main');
  page.replaceChildren(...fresh.childNodes);
  page.dataset.status = fresh.dataset.status;
  // Money may come late, so expired is not the end of it.
  if (!['pending', 'failed', 'expired'].includes(data)) news.close();
});
const tick = () => {
  const clock = document.querySelector('time');
  if (!clock) return;
  // Seconds since the page came, not the time of day: a payer's clock may be wrong.
  clock.dataset.since ??= document.timeline.currentTime;
  const gone = (document.timeline.currentTime - clock.dataset.since) / 1000;
  const left = Math.max(0, Math.round(clock.dataset.left - gone));
  clock.textContent = Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0');
};
tick();
setInterval(tick, 1000);
`;

export const PAGE_STYLE = `
body{margin:0;font:18px/1.5 system-ui,sans-serif;background:#f4f5f7;color:#15181c}
main{max-width:26rem;margin:0 auto;padding:2rem 1.5rem;text-align:center}
svg{width:100%;max-width:18rem;height:auto;background:#fff;padding:1rem;box-sizing:border-box;border-radius:1rem}
.amount{font-size:2rem;font-weight:600;margin:.5rem 0}
.state{font-weight:600}
[data-status=paid] .state{color:#0a7c3e}
[data-status=failed] .state,[data-status=expired] .state{color:#b3261e}
a.button{display:block;padding:.8rem;border-radius:.8rem;background:#1d4ed8;color:#fff;text-decoration:none;margin:1rem 0}
.banks{display:none;text-align:left}
.banks summary{padding:.5rem 0;text-align:center;color:#1d4ed8}
.banks a{display:block;padding:.6rem 0;border-bottom:1px solid #d8dce2;color:inherit}
@media (hover:none) and (pointer:coarse){.banks{display:block}}
`;

/** Seconds between two looks of a browser without JavaScript. */
const REFRESH_S = 5;
/** When the code is over, and only money that comes late can change the page. */
const LATE_REFRESH_S = 60;

/** The page as it stands now; it is whole without JavaScript. */
export function pageHtml(order: Order, text: PageText, now: Date): string {
  const status = statusOf(order, now);
  const canPay = canBePaid(status) && order.link !== null;
  const isLive = canBePaid(status) || status === 'expired';
  const refreshS = canBePaid(status) ? REFRESH_S : LATE_REFRESH_S;
  const refresh = isLive
    ? `<noscript><meta http-equiv="refresh" content="${refreshS}"></noscript>`
    : '';
  return `<!doctype html>
<html lang="${text.lang}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>${text.title}</title>${refresh}
<style>${PAGE_STYLE}</style></head>
<body><main data-status="${status}">
<h1>${text.title}</h1>
<p class="amount">${amountText(order, text)}</p>
${order.description === null ? '' : `<p>${escaped(order.description)}</p>`}
<p class="state" role="status">${text.state[status]}</p>
${canPay ? payPart(order, text, now) : ''}
${order.returnUrl === null ? '' : `<p><a href="${escaped(order.returnUrl)}">${text.back}</a></p>`}
</main>${isLive ? `<script>${PAGE_SCRIPT}</script>` : ''}</body>
</html>`;
}

function payPart({ link, expiresAt }: Order, text: PageText, now: Date): string {
  const svg = encodeQR(link ?? '', 'svg', { ecc: 'medium', border: 2 });
  const named = svg.replace('<svg ', `<svg role="img" aria-label="${text.image}" `);
  const end = expiresAt?.toISOString() ?? '';
  const left = Math.max(0, Math.round(((expiresAt ?? now).getTime() - now.getTime()) / 1000));
  return `${named}
<p>${text.how}</p>
<p><a class="button" href="${escaped(link ?? '')}">${text.open}</a></p>
${bankList(link ?? '', text)}
<p>${text.left}: <time datetime="${end}" data-left="${left}">${end.slice(11, 16)} UTC</time></p>`;
}

/** For phones, whose apps these links open: the style hides it elsewhere. */
function bankList(link: string, { lang, choose }: PageText): string {
  const links = bankLinks(link, lang).map(
    ({ name, href }) => `<a href="${escaped(href)}">${name}</a>`,
  );
  if (links.length === 0) return '';
  return `<details class="banks"><summary>${choose}</summary>${links.join('')}</details>`;
}

function amountText({ kopecks }: Order, { lang }: PageText): string {
  const plain = formatRoubles(kopecks, kopecks % 100n === 0n ? 0 : 2);
  const [whole = '', fraction] = plain.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '\u00a0');
  const mark = lang === 'ru' ? ',' : '.';
  return `${grouped}${fraction === undefined ? '' : `${mark}${fraction}`}\u00a0₽`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
