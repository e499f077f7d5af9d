import { GivenUp, PanelError } from './port.ts';

export interface SessionOptions<S> {
  /** Throws PanelError('auth') when the credentials are refused. */
  readonly login: (signal: AbortSignal) => Promise<S>;
  /** Sessions that end by themselves: when this one does. */
  readonly endsAt?: (session: S) => Date | null;
  readonly now: () => Date;
}

export interface PanelSession<S> {
  /**
   * Does the work in a session. Work that throws LoggedOut is done once more, in a new one. Throws
   * PanelError.
   */
  readonly use: <T>(work: (session: S) => Promise<T>, signal: AbortSignal) => Promise<T>;
}

/** The panel does not know our session (any more): for `use`, which logs in again. */
export class LoggedOut extends Error {
  override name = 'LoggedOut' as const;
}

/** Of all its requests together; each of them has its own, shorter time from when it is sent. */
const LOGIN_WITHIN_MS = 20_000;
/** Panels lock the door after some bad logins, and say so in the words for a wrong password. */
const BAD_LOGINS = 2;
const LOCKED_OUT_MS = 15 * 60_000;

/** One session for all requests to a server, and one login however many of them wait for it. */
export function createSession<S>(options: SessionOptions<S>): PanelSession<S> {
  const { login, endsAt, now } = options;
  let current: Promise<S> | null = null;
  let ends: Date | null = null;
  let refusals = 0;
  let closedUntil = 0;

  async function enter(): Promise<S> {
    if (closedUntil > now().getTime()) throw new PanelError('auth');
    try {
      const session = await login(AbortSignal.timeout(LOGIN_WITHIN_MS));
      refusals = 0;
      ends = endsAt?.(session) ?? null;
      return session;
    } catch (error) {
      if (error instanceof PanelError && error.kind === 'auth') refusals += 1;
      if (refusals >= BAD_LOGINS) {
        refusals = 0;
        closedUntil = now().getTime() + LOCKED_OUT_MS;
      }
      throw error;
    }
  }

  function open(): Promise<S> {
    if (ends !== null && ends <= now()) current = null;
    if (current !== null) return current;
    ends = null;
    const entering = enter();
    current = entering;
    entering.catch(() => leave(entering));
    return entering;
  }

  function leave(session: Promise<S>): void {
    if (current === session) current = null;
  }

  return {
    async use(work, signal) {
      for (let attempt = 1; ; attempt += 1) {
        const opened = open();
        try {
          return await work(await withSignal(opened, signal));
        } catch (error) {
          if (!(error instanceof LoggedOut)) throw error;
          leave(opened);
          if (attempt === 2) throw new PanelError('auth');
        }
      }
    },
  };
}

/** The login goes on for the others when one of them cannot wait any longer. */
async function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw new GivenUp('timeout');
  let give = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    give = () => reject(new GivenUp('timeout'));
    signal.addEventListener('abort', give, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}
