import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

/** Counters and gauges by name; a name always comes with the same label names. */
export interface Metrics {
  readonly count: (name: string, labels?: Labels, by?: number) => void;
  readonly gauge: (name: string, value: number, labels?: Labels) => void;
  /** Prometheus text. */
  readonly text: () => Promise<string>;
}

/** What each figure means; a name that is not here has its own name as help. */
const HELP: Readonly<Record<string, string>> = {
  kopeck_deliveries_total: 'Requests of partners, by source and outcome',
  kopeck_journal_bytes: 'Size of the journal in bytes',
  kopeck_journal_waiting: 'Events in the journal that the queue has not acknowledged',
  kopeck_unexplained_payments: 'Payments that wait in suspense for a person, by source',
  kopeck_unexplained_oldest_seconds: 'For how long the oldest of them has waited, by source',
  kopeck_heartbeats_total: 'Calls to HEARTBEAT_URL, by result',
  kopeck_booked_total: 'Events booked by the ledger, by source and outcome',
};

export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();

  function options(
    name: string,
    labels: Labels,
  ): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    return {
      name,
      help: HELP[name] ?? name,
      labelNames: Object.keys(labels),
      registers: [registry],
    };
  }

  return {
    count(name, labels = {}, by = 1) {
      const counter = counters.get(name) ?? new Counter(options(name, labels));
      counters.set(name, counter);
      counter.inc({ ...labels }, by);
    },
    gauge(name, value, labels = {}) {
      const gauge = gauges.get(name) ?? new Gauge(options(name, labels));
      gauges.set(name, gauge);
      gauge.set({ ...labels }, value);
    },
    text: () => registry.metrics(),
  };
}
