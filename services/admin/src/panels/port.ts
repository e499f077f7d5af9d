/** Where one purchase lives on one server. */
export interface PanelRef {
  readonly serverId: string;
  /** The panel's own name of the subscriber: 3x-ui's e-mail, Marzban's username, Remnawave's id or uuid. */
  readonly externalId: string;
  /** 3x-ui's subId, Remnawave's shortUuid: the panel's id of the subscription, never a token of ours. */
  readonly subscriptionId?: string;
}

/** What a panel says of a subscriber now. */
export interface PanelSnapshot {
  /** `vless://…` and the like: at least one, as the panel wrote them. */
  readonly links: readonly string[];
  /** Equal for links that lead to the same place, whatever their remarks: see links.ts. */
  readonly fingerprint: string;
  readonly usage?: Usage;
  /** Absolute. */
  readonly subscriptionUrl?: string;
}

/** In bytes; what the panel does not say or does not limit is left out. */
export interface Usage {
  readonly usedBytes?: bigint;
  readonly limitBytes?: bigint;
  readonly expiresAt?: Date;
}

export type PanelErrorKind =
  /** DNS, refused, reset, TLS handshake, and a server that is left alone because of these. */
  | 'connection'
  /** The operator must pin the certificate; coming again is useless. */
  | 'tls_untrusted'
  | 'timeout'
  /** 429; or our own turn at the panel did not come in time. */
  | 'rate_limited'
  /** 5xx, a locked database. */
  | 'busy'
  /** Bad or expired credentials. */
  | 'auth'
  /** The panel does not know the subscriber. */
  | 'not_found'
  /** HTML, an unknown version, another shape. */
  | 'protocol'
  /** The subscriber is there and has no links. */
  | 'empty'
  /** The purchase names a server that the configuration does not. */
  | 'not_configured';

/** Where coming again in some seconds may help. */
export const RETRYABLE: Readonly<Record<PanelErrorKind, boolean>> = {
  connection: true,
  tls_untrusted: false,
  timeout: true,
  rate_limited: true,
  busy: true,
  auth: false,
  not_found: false,
  protocol: false,
  empty: false,
  not_configured: false,
};

/** A panel did not give what it should. The message is ours, and quotes nothing of the panel's. */
export class PanelError extends Error {
  override name = 'PanelError' as const;
  readonly kind: PanelErrorKind;

  constructor(kind: PanelErrorKind, options?: ErrorOptions) {
    super(`panel: ${kind}`, options);
    this.kind = kind;
  }
}

/**
 * The caller's time was over before the panel had had its own: waiting for a turn, or soon after it. That
 * says nothing of the panel, and no breaker counts it.
 */
export class GivenUp extends PanelError {}

/** For a probe that asks for nobody: a panel that does not know him has let us in. */
export async function known(answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (!(error instanceof PanelError) || error.kind !== 'not_found') throw error;
  }
}

export interface Reissued extends PanelSnapshot {
  /** How the panel calls the subscriber from now on. */
  readonly newRef: PanelRef;
}

/** What a panel can do beside telling one subscriber's links. */
export interface Capabilities {
  /** Many subscribers in one request: `fetchMany` is there. */
  readonly bulkFetch: boolean;
  /** What a reissue makes useless. */
  readonly revoke: 'link+credentials' | 'none';
  /** False: it picks some parameters of links anew each time (see `volatile`). */
  readonly stableLinks: boolean;
}

/** The port of every VPN panel. One value of it is one server. */
export interface VpnPanel {
  readonly capabilities: Capabilities;
  /** That the panel answers and takes our credentials; its version, as far as it shows. Throws PanelError. */
  readonly probe: (signal: AbortSignal) => Promise<string>;
  /** Reads, and changes nothing on the panel, so that it may be repeated. Throws PanelError. */
  readonly fetch: (ref: PanelRef, signal: AbortSignal) => Promise<PanelSnapshot>;
  /** By `externalId`; who is not in it is unknown to the panel. Missing where the panel cannot. */
  readonly fetchMany?: (
    refs: readonly PanelRef[],
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<string, PanelSnapshot | PanelError>>;
  /**
   * Makes the old subscription address and the old credentials useless: whoever holds them is cut off.
   * No part of any refresh. Missing where the panel cannot.
   */
  readonly reissue?: (ref: PanelRef, signal: AbortSignal) => Promise<Reissued>;
  /** How many purchases may be refreshed on it at once; one without. */
  readonly concurrency?: number;
}

/** By server id. */
export type Panels = ReadonlyMap<string, VpnPanel>;
