import { readFileSync } from 'node:fs';

/** Linux counts in ticks of 10 ms. */
const TICK_MS = 10;

/** What a process has used of the processor until now; 0 where the system does not say. */
export function cpuMs(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold spaces, and ends with the last bracket; utime and stime are fields 14 and 15.
    const [utime = '0', stime = '0'] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13);
    return (Number(utime) + Number(stime)) * TICK_MS;
  } catch {
    return 0;
  }
}

/** The time of all processors that this machine's host has given to others until now; 0 where nobody says. */
export function stolenMs(): number {
  try {
    // `cpu`, user, nice, system, idle, iowait, irq, softirq, steal.
    const [all = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
    return Number(all.split(/\s+/)[8] ?? 0) * TICK_MS;
  } catch {
    return 0;
  }
}
