import { readFile, statfs } from 'node:fs/promises';
import { connect } from 'node:tls';
import type { Observation } from '@kopeck/runtime/observe';
import type { CourierConfig } from './config.ts';

const LOOK_MS = 30_000;
const CERTIFICATE_MS = 6 * 3_600_000;
const ANSWER_WITHIN_MS = 10_000;
const DAY_MS = 86_400_000;

type Settings = Pick<
  CourierConfig,
  'DISK_LOW_PERCENT' | 'MEMORY_LOW_PERCENT' | 'CERTIFICATE_OF' | 'CERTIFICATE_DAYS'
>;

/** The machine under it all, as a container sees it: its disk is that of Docker, its memory the host's. */
export function hostObservations(config: Settings, now: () => Date): readonly Observation[] {
  const { DISK_LOW_PERCENT, MEMORY_LOW_PERCENT, CERTIFICATE_OF, CERTIFICATE_DAYS } = config;
  const certificate: Observation[] =
    CERTIFICATE_OF === undefined
      ? []
      : [
          {
            kind: 'certificate-ends',
            everyMs: CERTIFICATE_MS,
            look: () => certificateEnds(CERTIFICATE_OF, CERTIFICATE_DAYS, now),
          },
        ];
  return [
    { kind: 'disk-low', everyMs: LOOK_MS, look: () => diskLow(DISK_LOW_PERCENT) },
    { kind: 'memory-low', everyMs: LOOK_MS, look: () => memoryLow(MEMORY_LOW_PERCENT) },
    ...certificate,
  ];
}

async function diskLow(percent: number) {
  const { bavail, blocks } = await statfs(process.cwd());
  return judged(bavail / blocks, percent);
}

/** Linux alone tells what is really available; elsewhere nothing is said. */
async function memoryLow(percent: number) {
  const text = await readFile('/proc/meminfo', 'utf8');
  const figure = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
  return judged(figure('MemAvailable') / figure('MemTotal'), percent);
}

function judged(free: number, percent: number) {
  const freePercent = Math.floor(free * 100);
  return freePercent < percent ? { freePercent } : null;
}

async function certificateEnds(host: string, days: number, now: () => Date) {
  const endsAt = await certificateEnd(host);
  const left = Math.floor((endsAt.getTime() - now().getTime()) / DAY_MS);
  return left < days ? { host, daysLeft: left, endsAt: endsAt.toISOString() } : null;
}

/** Nothing is sent over this connection and nothing that comes is believed: the date alone is read. */
function certificateEnd(address: string): Promise<Date> {
  const { hostname, port } = new URL(`https://${address}`);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: Number(port === '' ? 443 : port),
      servername: /^[\d.]+$/.test(hostname) ? '' : hostname,
      // One that has run out must be read as well.
      rejectUnauthorized: false,
      timeout: ANSWER_WITHIN_MS,
    });
    socket.on('secureConnect', () => {
      resolve(new Date(socket.getPeerCertificate().valid_to));
      socket.destroy();
    });
    socket.on('timeout', () => socket.destroy(new Error('no answer')));
    socket.on('error', reject);
  });
}
