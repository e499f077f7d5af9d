import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What `docker …` prints. Its environment is empty, so that .env alone says what Compose fills in. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { PATH, HOME } = process.env;
  const { stdout } = await run('docker', [...args], { env: { PATH, HOME }, maxBuffer: 2 ** 28 });
  return stdout.trim();
}
