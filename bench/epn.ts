import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@kopeck/testing/ports';
import { startRedis } from '@kopeck/testing/private-redis';
import { waitFor } from '@kopeck/testing/wait-for';
import { load, type Load } from './http-load.ts';

/**
 * How many postbacks a second the receiver keeps, fsynced before each 200, beside a bare Express
 * handler that keeps nothing, in the same run on the same machine. BENCH_DIR: where the journal lies.
 */
const CONNECTIONS = 32;
const REQUESTS = Number(process.env['BENCH_REQUESTS'] ?? 20_000);
const WARM_UP = 4_000;
const ROUNDS = 3;
const TOKEN = 'token-of-the-bench_0123456789abcdefghij';
const AIM = { ratio: 0.3, p99Ms: 25 };

const ROOT = join(import.meta.dirname, '..');
const dir = await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), 'kopeck-bench-'));
const redis = await startRedis({ dir: join(dir, 'redis'), password: 'bench' });
const children: ChildProcess[] = [];
let sent = 0;
try {
  const epn = await startEpn();
  const bare = await startBare();
  await measure(epn, WARM_UP);
  await measure(bare, WARM_UP);
  const results: { epn: Load; bare: Load }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    results.push({ epn: await measure(epn, REQUESTS), bare: await measure(bare, REQUESTS) });
  }
  report(results);
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map(async (child) => child.exitCode ?? once(child, 'exit')));
  await redis.stop();
  await rm(dir, { recursive: true, force: true });
}

function measure(url: string, requests: number): Promise<Load> {
  const pathOf = (): string => {
    sent += 1;
    return `/webhook/${TOKEN}?click_id=u-${sent % 500}&order_number=${8_190_044_512_207 + sent}&uniq_id=${770_014_201 + sent}&order_status=waiting&offer_name=AliExpress%20RU%26CIS&offer_type=aliexpress&offer_id=1&type_id=1&sub=tg&revenue=2349.90&commission_fee=96.35&currency=RUB&ip=203.0.113.24&click_time=2026-03-11%2018:02:41&time_of_order=2026-03-11%2018:40:07`;
  };
  return load({ url, pathOf, connections: CONNECTIONS, requests });
}

async function startEpn(): Promise<string> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const child = run('services/epn/main.ts', {
    HOST: '127.0.0.1',
    EPN_PORT: String(port),
    EPN_METRICS_PORT: String(metricsPort),
    REDIS_URL: redis.url,
    JOURNAL_DIR: join(dir, 'journal'),
    EPN_SECRET_TOKEN: TOKEN,
    EPN_DEFAULT_CURRENCY: 'RUB',
    LOG_LEVEL: 'info',
  });
  child.stdout?.resume();
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/health`)).ok, { timeoutMs: 20_000 });
  return url;
}

async function startBare(): Promise<string> {
  const child = run('bench/bare-express.ts', {});
  if (child.stdout === null) throw new Error('no stdout');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return line.toString().trim();
}

function run(script: string, env: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(process.execPath, [join(ROOT, script)], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

function report(results: readonly { epn: Load; bare: Load }[]): void {
  for (const { epn, bare } of results) {
    console.log(`epn          ${shown(epn)}`);
    console.log(`bare Express ${shown(bare)}   ratio ${ratioOf({ epn, bare }).toFixed(2)}`);
  }
  const best = results.toSorted((a, b) => ratioOf(a) - ratioOf(b)).at(Math.floor(ROUNDS / 2));
  if (best === undefined) return;
  const ratio = ratioOf(best);
  const isReached = ratio >= AIM.ratio && best.epn.p99Ms <= AIM.p99Ms;
  console.log(
    `median ratio ${ratio.toFixed(2)} (aim ${AIM.ratio}), p99 ${best.epn.p99Ms.toFixed(1)} ms (aim ${AIM.p99Ms}): ${isReached ? 'reached' : 'MISSED'}`,
  );
}

function ratioOf({ epn, bare }: { epn: Load; bare: Load }): number {
  return epn.requestsPerSecond / bare.requestsPerSecond;
}

function shown({ requestsPerSecond, p50Ms, p99Ms, answers }: Load): string {
  const rate = Math.round(requestsPerSecond).toString().padStart(6);
  return `${rate} requests/s   p50 ${p50Ms.toFixed(1)} ms   p99 ${p99Ms.toFixed(1)} ms   ${JSON.stringify(answers)}`;
}
