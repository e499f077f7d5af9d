import { timingSafeEqual, createHash } from 'node:crypto';
import { Router, type RequestHandler } from 'express';
import Joi from 'joi';
import type { Double, OpenDouble } from '../double.ts';
import { createFaults, faultSchema, type Faults } from './faults.ts';

/** One buyer's configs on one server. */
export interface Subscriber {
  readonly server: string;
  readonly externalId: string;
  readonly links: readonly string[];
}

export interface PanelOptions {
  /** Whoever asks must show it as a bearer. */
  readonly token: string;
  readonly subscribers: readonly Subscriber[];
}

/** A request that the panel saw, whatever it was answered. */
export interface Seen {
  readonly server: string;
  readonly externalId: string;
}

const subscriberSchema = Joi.object<Subscriber>({
  server: Joi.string().required(),
  externalId: Joi.string().required(),
  links: Joi.array().items(Joi.string()).required(),
});

/**
 * A VPN panel with several servers: `GET /panel/{server}/sub/{externalId}` gives what a subscription
 * address of a real one gives, Base64 of lines. Knobs: POST faults and subscribers, GET requests.
 */
export function openPanel({ token, subscribers }: PanelOptions): OpenDouble {
  return (): Double => {
    const links = new Map<string, readonly string[]>();
    const seen: Seen[] = [];
    const faults = createFaults();

    const set = (subscriber: Subscriber): void => {
      links.set(keyOf(subscriber), subscriber.links);
    };
    function reset(): void {
      faults.clear();
      seen.length = 0;
      links.clear();
      subscribers.forEach(set);
    }
    reset();

    const router = Router();
    router.get(
      '/:server/sub/:externalId',
      ((request, _response, next) => {
        seen.push({ ...request.params });
        next();
      }) satisfies RequestHandler<{ server: string; externalId: string }>,
      faults.handler,
      bearer(token),
      (request, response) => {
        const found = links.get(keyOf(request.params));
        if (found === undefined) return void response.status(404).json({ error: 'not_found' });
        response.type('text/plain').send(subscriptionText(found));
      },
    );
    return {
      name: 'panel',
      prefix: '/panel',
      router,
      controls: controlsOf({ set, seen, faults }),
      reset,
      close: async () => faults.clear(),
    };
  };
}

interface Knobs {
  readonly set: (subscriber: Subscriber) => void;
  readonly seen: readonly Seen[];
  readonly faults: Faults;
}

function controlsOf({ set, seen, faults }: Knobs): Router {
  const router = Router();
  router.get('/requests', (_request, response) => void response.json(seen));
  router.post('/faults', turn(faultSchema, faults.set));
  router.post('/subscribers', turn(subscriberSchema, set));
  return router;
}

function turn<T>(schema: Joi.ObjectSchema<T>, use: (value: T) => void): RequestHandler {
  return (request, response) => {
    const { value, error } = schema.validate(request.body);
    if (error !== undefined) return void response.status(400).json({ error: error.message });
    use(value);
    response.json(value);
  };
}

function keyOf({ server, externalId }: Seen): string {
  return JSON.stringify([server, externalId]);
}

function subscriptionText(links: readonly string[]): string {
  return Buffer.from(links.map((link) => `${link}\n`).join('')).toString('base64');
}

function bearer(token: string): RequestHandler {
  return (request, response, next) => {
    const given = request.get('authorization') ?? '';
    if (timingSafeEqual(digest(given), digest(`Bearer ${token}`))) return next();
    response.status(401).json({ error: 'unauthorized' });
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
