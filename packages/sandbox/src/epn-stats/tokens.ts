import { createHmac, randomUUID } from 'node:crypto';
import express, { Router, type Response } from 'express';

export interface EpnStatsOptions {
  readonly clientId: string;
  /** The one that somebody got by hand. */
  readonly refreshToken: string;
  /** Undefined: nobody signs in with a secret. */
  readonly clientSecret?: string;
}

/** EPN's token service. */
export interface Tokens {
  readonly router: Router;
  readonly isAccess: (token: string | undefined) => boolean;
  /** Ends the access token. */
  readonly expire: () => void;
}

/**
 * A refresh token is good for one use, and outlives a restart of the double. A session for signing in is
 * given once; who asks again is asked for a captcha.
 */
export function openTokens({ clientId, refreshToken, clientSecret }: EpnStatsOptions): Tokens {
  const used = new Set<string>();
  const seal = sealing(refreshToken);
  let session: string | null = null;
  let access = '';

  function give(response: Response): void {
    access = `access-${randomUUID()}`;
    const attributes = { access_token: access, refresh_token: seal.issue(), expires_in: 86_400 };
    response.json({ data: { type: 'token', attributes }, result: true });
  }

  const router = Router();
  router.get('/ssid', (request, response) => {
    if (request.query['client_id'] !== clientId || request.get('x-api-version') !== '2') {
      return refuse(response, 400, 'Bad request');
    }
    if (session !== null) return refuse(response, 429, 'Captcha is required');
    session = randomUUID();
    response.json({ data: { type: 'ssid', attributes: { ssid_token: session } }, result: true });
  });
  router.post('/token', express.json(), (request, response) => {
    const wanted: Readonly<Record<string, unknown>> = {
      grant_type: 'client_credential',
      client_id: clientId,
      client_secret: clientSecret ?? null,
      ssid_token: session,
    };
    const given = (request.body ?? {}) as Readonly<Record<string, unknown>>;
    const isKnown = Object.entries(wanted).every(([key, value]) => given[key] === value);
    if (isKnown) give(response);
    else refuse(response, 401, 'Invalid client credentials');
  });
  router.post('/token/refresh', express.json(), (request, response) => {
    const given = (request.body ?? {}) as { refresh_token?: string; client_id?: string };
    const token = String(given.refresh_token);
    if (given.client_id !== clientId || used.has(token) || !seal.isOurs(token)) {
      return refuse(response, 401, 'Refresh token is not valid');
    }
    used.add(token);
    give(response);
  });
  return {
    router,
    isAccess: (token) => access !== '' && token === access,
    expire: () => {
      access = '';
    },
  };
}

export function refuse(response: Response, status: number, description: string): void {
  const errors = [{ error: status, error_description: description }];
  response.status(status).json({ result: false, errors });
}

/** Tokens that are known again without being kept. */
function sealing(first: string) {
  const sealOf = (id: string): string => createHmac('sha256', first).update(id).digest('hex');
  return {
    issue(): string {
      const id = randomUUID();
      return `refresh-${id}.${sealOf(id)}`;
    },
    isOurs(token: string): boolean {
      const [, id = '', claimed = ''] = /^refresh-(.+)\.([0-9a-f]{64})$/.exec(token) ?? [];
      return token === first || claimed === sealOf(id);
    },
  };
}
