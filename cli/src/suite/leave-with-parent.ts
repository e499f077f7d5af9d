/**
 * Loaded before a service by `node --import`. The services run in process groups of their own, so that
 * Ctrl-C reaches the supervisor alone; if the supervisor is killed, this makes them go, too.
 */
const LOOK_EVERY_MS = 500;

const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
}, LOOK_EVERY_MS).unref();
